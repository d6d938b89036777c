/** A chat room over raw TCP: a line is a message, `/nick name`, `/who` and `/quit` are commands. */
import { fileURLToPath } from 'node:url';
import { Queue, QueueFull, spawn } from '@tendril/core';
import { type Listening, StreamServer } from '@tendril/core/server';
import type { Socket } from '@tendril/core/socket';
import { inOneLine } from './outside.js';

/** Lines that may wait for a slow reader; one who is slower has to go. */
const patience = 100;
const longestLine = 1000;

interface Member {
  name: string;
  readonly lines: Queue<string>;
  readonly socket: Socket;
}

export class ChatRoom {
  readonly #members = new Set<Member>();
  #guests = 0;

  /** The handler of one connection. */
  readonly join = (socket: Socket): void => {
    const member: Member = { name: `guest${++this.#guests}`, lines: new Queue(patience), socket };
    const writer = spawn(() => {
      for (const line of member.lines) socket.sendAll(`${line}\n`);
    });
    this.#members.add(member);
    this.#tell(`* ${member.name} is here`);
    try {
      for (
        let line = socket.readLine({ max: longestLine });
        line !== undefined && line !== '/quit';
        line = socket.readLine({ max: longestLine })
      )
        this.#say(member, line.trim());
    } finally {
      this.#members.delete(member);
      writer.kill({ block: false });
      this.#tell(`* ${member.name} has gone`);
    }
  };

  #say(member: Member, line: string): void {
    const nick = /^\/nick (\w{1,20})$/.exec(line)?.[1];
    if (nick) {
      const taken = [...this.#members].some(({ name }) => name === nick);
      if (taken) this.#give(member, `* ${nick} is taken`);
      else {
        this.#tell(`* ${member.name} is ${nick} now`);
        member.name = nick;
      }
    } else if (line === '/who') {
      this.#give(member, `* ${[...this.#members].map(({ name }) => name).join(', ')}`);
    } else if (line.startsWith('/')) {
      this.#give(member, '* commands: /nick name, /who, /quit');
    } else if (line !== '') {
      this.#tell(`${member.name}: ${line}`);
    }
  }

  #tell(line: string): void {
    for (const member of this.#members) this.#give(member, line);
  }

  #give(member: Member, line: string): void {
    try {
      member.lines.putNowait(line);
    } catch (error) {
      if (!(error instanceof QueueFull)) throw error;
      member.socket.destroy(); // its reader sees the end, and it leaves
    }
  }
}

/** A server with one room. */
export function chatServer(where: Listening): StreamServer {
  return new StreamServer(where, new ChatRoom().join, { maxConnections: 10_000 });
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await inOneLine(() => {
    const server = chatServer({ port: Number(process.argv[2] ?? 7000), host: '127.0.0.1' });
    server.start();
    console.log(`nc 127.0.0.1 ${server.port}`);
    server.serveForever();
  });
