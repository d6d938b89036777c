/** Server-sent events: a response that does not end. What the member says comes by POST /send. */
import { QueueEmpty, QueueShutDown } from '@tendril/core';
import type { Application } from '@tendril/wsgi';
import type { Lobby } from '../lobby.js';
import type { Member } from '../room.js';

/** Milliseconds of silence after which a comment is sent: proxies close what seems dead. */
const keepAlive = 15_000;

function nextFrame({ events }: Member): string {
  try {
    return `data: ${JSON.stringify(events.get({ timeout: keepAlive }))}\n\n`;
  } catch (error) {
    if (error instanceof QueueEmpty) return ': still here\n\n';
    throw error;
  }
}

// When the client goes, the greenlet is killed, in the queue or while it sends: `finally` runs.
function* frames(lobby: Lobby, member: Member): Generator<string> {
  try {
    for (;;) yield nextFrame(member);
  } catch (error) {
    if (!(error instanceof QueueShutDown)) throw error; // too slow
  } finally {
    lobby.leave(member);
  }
}

export function eventStream(lobby: Lobby): Application {
  return (environ, startResponse) => {
    const member = lobby.enter(environ.QUERY_STRING);
    startResponse('200 OK', [
      ['Content-Type', 'text/event-stream'],
      ['Cache-Control', 'no-store'],
      ['X-Accel-Buffering', 'no'],
    ]);
    return frames(lobby, member);
  };
}
