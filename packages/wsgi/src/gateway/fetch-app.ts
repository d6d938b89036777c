/** fetchApp: handlers from Request to Response, as Deno, Bun and service workers have them. */
import { getCurrent, spawn, wait } from '@tendril/core';
import type { Input } from './input.js';
import type { Application, Environ } from './types.js';

export type FetchHandler = (request: Request) => Response | PromiseLike<Response>;

/** Header lines of `environ` under their own names. */
function headersOf(environ: Environ): Headers {
  const headers = new Headers();
  for (const [key, value] of Object.entries(environ)) {
    if (typeof value !== 'string') continue;
    if (key.startsWith('HTTP_')) headers.append(key.slice(5).replaceAll('_', '-'), value);
    else if (key === 'CONTENT_TYPE' || key === 'CONTENT_LENGTH')
      headers.append(key.replace('_', '-'), value);
  }
  return headers;
}

/** A stream of the body. A greenlet of its own reads each piece when the stream wants one. */
function streamOf(input: Input): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      pull: (controller) =>
        spawn(() => {
          const piece = input.readSome();
          // A copy: who gets it may hand its memory on, and ours holds other things, too.
          if (piece.length > 0) controller.enqueue(new Uint8Array(piece));
          else controller.close();
        }).toPromise(),
    },
    { highWaterMark: 0 },
  );
}

function requestOf(environ: Environ): Request {
  const { REQUEST_METHOD: method, REQUEST_URI: target } = environ;
  const host = environ.HTTP_HOST ?? `${environ.SERVER_NAME}:${environ.SERVER_PORT}`;
  const isPath = target.startsWith('/');
  const url = isPath ? `${environ['wsgi.url_scheme']}://${host}${target}` : target;
  const input = environ['wsgi.input'];
  const isEmpty = input.ended && input.buffered === 0;
  const hasBody = method !== 'GET' && method !== 'HEAD' && !isEmpty;
  return new Request(url, {
    method,
    headers: headersOf(environ),
    ...(getCurrent() && { signal: (getCurrent() as { signal: AbortSignal }).signal }),
    ...(hasBody && { body: streamOf(input), duplex: 'half' }),
  } as RequestInit);
}

/** Pieces of a response's body; one that is not read to its end is cancelled. */
function* piecesOf(body: ReadableStream<Uint8Array>): Generator<Uint8Array, void, undefined> {
  const reader = body.getReader();
  let whole = false;
  try {
    for (;;) {
      const { done, value } = wait(reader.read());
      if (done) break;
      yield value;
    }
    whole = true;
  } finally {
    if (!whole) reader.cancel().catch(() => {});
  }
}

/**
 * An application out of a fetch handler. The handler may park, or return a promise; bodies stream in
 * both directions; `request.signal` aborts when the greenlet of the request is killed.
 */
export function fetchApp(handler: FetchHandler): Application {
  return (environ, startResponse) => {
    const answer = handler(requestOf(environ));
    const response = answer instanceof Response ? answer : wait(answer);
    const { status, statusText, headers, body } = response;
    startResponse(`${status} ${statusText}`, headers);
    return body ? piecesOf(body) : [];
  };
}
