/** POST /send and /leave: what members without a WebSocket have to say. */
import type { Application, Environ } from '@tendril/wsgi';
import type { Lobby } from './lobby.js';
import { Refusal } from './refusal.js';
import { respondNothing } from './respond.js';

function read(environ: Environ): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(environ['wsgi.input'].read().toString());
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Refusal('400 Bad Request', 'the body must be a JSON object');
}

export function send(lobby: Lobby): Application {
  return (environ, startResponse) => {
    const { id, text } = read(environ);
    if (typeof text !== 'string') throw new Refusal('400 Bad Request', 'text must be a string');
    const member = lobby.find(id);
    member.room.hear(member, text);
    return respondNothing(startResponse);
  };
}

export function leave(lobby: Lobby): Application {
  return (environ, startResponse) => {
    lobby.leave(lobby.find(read(environ).id));
    return respondNothing(startResponse);
  };
}
