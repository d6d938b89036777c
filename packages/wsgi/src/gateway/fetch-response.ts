/** What a fetch handler answers, as status, headers and pieces. */
import { STATUS_CODES } from 'node:http';
import { wait } from '@tendril/core';
import { ResponseError } from '../errors.js';
import type { Header } from '../http1/response-head.js';
import type { Body } from './types.js';

/** A `Response` by its shape: that of an npm package, or of another realm, is no instance of ours. */
export interface ResponseLike {
  readonly status: number;
  readonly statusText?: string;
  readonly url?: string;
  readonly headers: Iterable<readonly [string, string]>;
  readonly body?: ReadableStream<unknown> | AsyncIterable<unknown> | null | undefined;
}

/** @throws ResponseError for what is no response */
export function checkResponse(answer: unknown): ResponseLike {
  const { status, headers } = (answer ?? {}) as Partial<ResponseLike>;
  if (typeof status === 'number' && typeof headers?.[Symbol.iterator] === 'function')
    return answer as ResponseLike;
  throw new ResponseError('ERR_WSGI_RESPONSE', answer === null ? 'null' : typeof answer);
}

export function statusOf({ status, statusText }: ResponseLike): string {
  return `${status} ${statusText || (STATUS_CODES[status] ?? '')}`;
}

/** Of one connection only (RFC 9110, 7.6.1), and that of a response from elsewhere was another. */
const hops = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
]);

/** What fetch() undoes by itself. */
const undone = /^(?:(?:x-)?gzip|deflate|br)$/i;

// The body of a response from fetch() is decoded, and its headers still speak of what came.
function isDecoded(response: ResponseLike, headers: readonly Header[]): boolean {
  if (!response.url) return false;
  const codings = headers.filter(([name]) => name.toLowerCase() === 'content-encoding');
  const list = codings.flatMap(([, value]) => value.split(',')).map((each) => each.trim());
  return list.length > 0 && list.every((each) => undone.test(each));
}

/** Headers for `startResponse`. */
export function responseHeaders(response: ResponseLike): Header[] {
  const all = [...response.headers] as Header[];
  const own = all.filter(([name]) => name.toLowerCase() === 'connection');
  const named = own
    .flatMap(([, value]) => value.toLowerCase().split(','))
    .map((each) => each.trim());
  const drop = new Set([...hops, ...named]);
  if (isDecoded(response, all)) drop.add('content-encoding').add('content-length');
  // A 426 says what it wants.
  if (response.status === 426) drop.delete('upgrade');
  const kept = all.filter(([name]) => !drop.has(name.toLowerCase()));
  if (!response.url && named.includes('close')) kept.push(['Connection', 'close']);
  return kept;
}

type Next = { done?: boolean | undefined; value?: unknown };

function bytesOf(value: unknown): string | Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value))
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  // Not instanceof, for the same reason as above.
  if (Object.prototype.toString.call(value) === '[object ArrayBuffer]')
    return new Uint8Array(value as ArrayBuffer);
  if (typeof value === 'string') return value;
  throw new ResponseError('ERR_WSGI_BODY_TYPE', typeof value);
}

/** Pieces of a response's body; one that is not read to its end is cancelled. */
export class ResponseBody implements Body {
  readonly #read: () => Promise<Next>;
  readonly #cancel: () => Promise<unknown> | undefined;
  /** A piece that is read ahead. */
  #ahead: Promise<Next> | undefined = undefined;
  #whole = false;

  constructor(body: ReadableStream<unknown> | AsyncIterable<unknown>) {
    if (typeof (body as ReadableStream).getReader === 'function') {
      const reader = (body as ReadableStream<unknown>).getReader();
      this.#read = () => reader.read();
      this.#cancel = () => reader.cancel();
    } else {
      const iterator = (body as AsyncIterable<unknown>)[Symbol.asyncIterator]();
      this.#read = () => iterator.next();
      this.#cancel = () => iterator.return?.();
    }
  }

  /**
   * The whole body as a list, if it is one piece that is there; itself otherwise. A string or bytes in a
   * Response are a stream of one piece, whose length nobody says.
   */
  shortened(): Body {
    const first = this.#next();
    if (first === undefined) return [];
    const ahead = this.#read();
    this.#ahead = ahead;
    const soon = new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined)));
    // What goes wrong there is told to who comes to it.
    const second = wait(Promise.race([ahead.catch(() => undefined), soon]));
    if (!second?.done) return this.#startingWith(first);
    this.#whole = true;
    return [first];
  }

  #startingWith(first: string | Uint8Array): Body {
    const rest = () => this[Symbol.iterator]();
    return {
      *[Symbol.iterator]() {
        yield first;
        yield* { [Symbol.iterator]: rest };
      },
      close: () => this.close(),
    };
  }

  #next(): string | Uint8Array | undefined {
    const next = this.#ahead ?? this.#read();
    this.#ahead = undefined;
    const { done, value } = wait(next);
    this.#whole = done === true;
    return done ? undefined : bytesOf(value);
  }

  *[Symbol.iterator](): Generator<string | Uint8Array, void, undefined> {
    for (let piece = this.#next(); piece !== undefined; piece = this.#next()) yield piece;
  }

  /** Called by the server when the response is over, however it ended. */
  close(): void {
    if (this.#whole) return;
    this.#whole = true;
    Promise.resolve(this.#cancel()).catch(() => {});
  }
}
