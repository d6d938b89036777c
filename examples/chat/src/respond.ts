/** Responses of the chat's own. */
import type { Body, StartResponse } from '@tendril/wsgi';

/** Answers with `value`, which no cache may keep. */
export function respondJson(start: StartResponse, status: string, value: unknown): Body {
  start(status, [
    ['Content-Type', 'application/json'],
    ['Cache-Control', 'no-store'],
  ]);
  return [JSON.stringify(value)];
}

export function respondNothing(start: StartResponse): Body {
  start('204 No Content', []);
  return [];
}
