/** WebSocket: a greenlet that reads, and one that writes. */
import { spawn } from '@tendril/core';
import { type WebSocket, websocketApp } from '@tendril/websocket';
import type { Application } from '@tendril/wsgi';
import type { Lobby } from '../lobby.js';
import { Refusal } from '../refusal.js';
import { limits, type Member } from '../room.js';

/** UTF-8 takes no more for a character of a JavaScript string. */
const maxPayload = limits.text * 3;

function write(socket: WebSocket, member: Member): void {
  try {
    for (const event of member.events) socket.send(JSON.stringify(event));
    socket.close(1008, 'too slow');
  } catch (error) {
    if (!socket.closed) throw error; // or the reader sees the end, too
  }
}

function serve(socket: WebSocket, member: Member): void {
  const writer = spawn(write, socket, member);
  try {
    for (const text of socket) member.room.hear(member, String(text));
  } finally {
    writer.kill({ block: false });
  }
}

export function webSocket(lobby: Lobby): Application {
  return websocketApp(
    (socket, environ) => {
      let member: Member;
      try {
        member = lobby.enter(environ.QUERY_STRING);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        socket.close(1013, error.message);
        return;
      }
      try {
        serve(socket, member);
      } finally {
        lobby.leave(member);
      }
    },
    { maxPayload, pingInterval: 10_000 },
  );
}
