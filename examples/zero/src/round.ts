/** One way of serving: started, warmed, measured, ended. */
import { fileURLToPath } from 'node:url';
import { sleep } from '@tendril/core';
import { Popen } from '@tendril/core/subprocess';
import type { Figures, Progress, Task } from './crowd.js';
import { residentMemory } from './memory.js';
import type { Options } from './options.js';
import type { Way } from './ways.js';

export interface Round extends Figures {
  name: string;
  /**
   * Bytes of resident memory: after the warm-up, and while all clients are served on average and at
   * the most. Undefined where it is not known.
   */
  idle: number | undefined;
  usual: number | undefined;
  peak: number | undefined;
}

/** Called with what there is to say while a round goes on. */
export type Say = (text: string) => void;

/** What a page waits for, in milliseconds: a command, a sleep, and the upstream. */
export const waits = { command: 200, sleep: 800, upstream: 500 };

/** Milliseconds before a measurement: twice what a page takes where nobody is in the way. */
const settle = 3000;
/** Milliseconds until a server that has nothing to do has given back what it can soon. */
const rest = 500;
/** How often each client asks to make a server warm. */
const warmUps = 2;
/** Milliseconds: no line takes longer, not even a first one. */
const patience = 60_000;

const inFolder = (name: string) => fileURLToPath(new URL(`./${name}.js`, import.meta.url));

function lineOf(program: Popen): string {
  const line = program.stdout?.readLine({ timeout: patience });
  if (line === undefined) throw new Error('a process of the demonstration has ended early');
  return line;
}

/** The slow upstream; its first line is its port. */
export function startUpstream(): { program: Popen; url: string } {
  const program = new Popen(process.execPath, [inFolder('upstream'), `${waits.upstream}`], {
    stderr: 'inherit',
  });
  return { program, url: `http://127.0.0.1:${lineOf(program)}` };
}

function drive(task: Task, heard: (progress: Progress) => void): Figures {
  using crowd = new Popen(process.execPath, [inFolder('crowd'), JSON.stringify(task)], {
    stderr: 'inherit',
  });
  for (;;) {
    const said = JSON.parse(lineOf(crowd)) as Progress | Figures;
    if ('rate' in said) return said;
    heard(said);
  }
}

/** Parks until the round is over. @throws Error when a process ends early or an answer is wrong */
export function play(way: Way, upstream: string, options: Options, say: Say): Round {
  using server = new Popen(process.execPath, [...way.flags, way.program], {
    env: { ...process.env, ...way.env, PORT: '0', UPSTREAM: upstream },
    stderr: 'inherit',
  });
  let port = 0;
  for (let n = 0; n < way.listeners; n++) port = Number(/\d+$/.exec(lineOf(server))?.[0]);
  const memory = () => residentMemory(server.pid as number, way.isGroup);
  const { clients, seconds } = options;
  say(`${way.name}: warming up`);
  drive({ port, clients: Math.min(clients, way.warmUp(clients)), requests: warmUps }, () => {});
  sleep(rest);
  const idle = memory();
  const held: number[] = [];
  const figures = drive({ port, clients, settle, time: seconds * 1000 }, ({ answered }) => {
    const now = memory();
    // Before the first answers it is not under full load yet.
    if (now !== undefined && answered > 0) held.push(now);
    say(`${way.name}: ${clients} clients, ${answered} answers`);
  });
  const usual = held.length > 0 ? held.reduce((sum, one) => sum + one, 0) / held.length : idle;
  // The kernel takes pages back from who rests, and may go on with it under load.
  const peak = idle === undefined ? undefined : Math.max(idle, ...held);
  return { ...figures, name: way.name, idle, usual, peak };
}
