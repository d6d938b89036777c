/** fetchApp: handlers from Request to Response, as Deno, Bun and service workers have them. */
import { getCurrent, spawn, wait } from '@tendril/core';
import { statusText } from '../http1/response-head.js';
import {
  checkResponse,
  ResponseBody,
  type ResponseLike,
  responseHeaders,
  statusOf,
} from './fetch-response.js';
import type { Input } from './input.js';
import { urlOf } from './request-url.js';
import type { Application, Environ, StartResponse } from './types.js';

export type FetchHandler = (request: Request) => ResponseLike | PromiseLike<ResponseLike>;

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

/** What fetch refuses to say (Fetch, "forbidden method"), and what it says in another way than it was sent. */
function isSayable(method: string): boolean {
  const upper = method.toUpperCase();
  if (upper === 'TRACE' || upper === 'TRACK' || upper === 'CONNECT') return false;
  return method === upper || !normalised.has(upper);
}

const normalised = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']);

function requestOf(environ: Environ, url: string): Request {
  const { REQUEST_METHOD: method } = environ;
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

function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return typeof (answer as { then?: unknown } | undefined)?.then === 'function';
}

/** A plain page, for requests that cannot be put into a Request. */
function page(startResponse: StartResponse, code: number): string[] {
  startResponse(statusText(code), [['Content-Type', 'text/plain; charset=utf-8']]);
  return [`${statusText(code)}\n`];
}

/**
 * An application out of a fetch handler. The handler may park, or return a promise; bodies stream in
 * both directions; `request.signal` aborts when the greenlet of the request is killed. A request that
 * has no URL, or none that says what `environ` says, gets 400, and a method that a Request cannot have,
 * 501, without the handler.
 */
export function fetchApp(handler: FetchHandler): Application {
  return (environ, startResponse) => {
    if (!isSayable(environ.REQUEST_METHOD)) return page(startResponse, 501);
    const url = urlOf(environ);
    if (url === undefined) return page(startResponse, 400);
    const answer = handler(requestOf(environ, url));
    const response = checkResponse(isThenable(answer) ? wait(answer) : answer);
    // Response.error(), the handler's way to say that there is no answer.
    if (response.status === 0) return page(startResponse, 500);
    const body = response.body ? new ResponseBody(response.body) : undefined;
    try {
      startResponse(statusOf(response), responseHeaders(response));
      const { status } = response;
      if (body && environ.REQUEST_METHOD !== 'HEAD' && status !== 204 && status !== 304)
        return body.shortened();
      body?.close();
      return [];
    } catch (error) {
      body?.close();
      throw error;
    }
  };
}
