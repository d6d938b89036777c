/** COPY: rows in and out, as the server's text, CSV or binary. */
import {
  type Greenlet,
  getCurrent,
  InvalidArgumentError,
  park,
  UnsupportedError,
} from '@tendril/core';
import { from, to } from 'pg-copy-streams';
import type { Operation } from './operation.js';
import type { Session } from './session.js';

/** Small pieces are put together until they have so many bytes. */
const chunkSize = 64 * 1024;

const ignore = () => {};

class CopyOperation implements Operation {
  abandoned = false;
  over = false;
  failure: Error | undefined;
  /** Lets the greenlet go on, which looks then what there is. */
  wake: (() => void) | undefined;

  readonly fail = (error: Error): void => {
    this.failure ??= error;
    this.wake?.();
  };

  ended(lost?: Error): void {
    this.over = true;
    if (lost) this.failure ??= lost;
    this.wake?.();
  }

  /** Parks until something has happened. @throws what the server or the connection says */
  wait(start: (wake: () => void) => void, abort: () => void): void {
    if (!this.failure)
      park<void>((resume) => {
        this.wake = () => resume();
        start(this.wake);
        return abort;
      });
    this.wake = undefined;
    if (this.failure) throw this.failure;
  }
}

function enter(session: Session, what: string): void {
  if (session.raw.pipeline) throw new UnsupportedError(what, 'a client without `pipeline`');
  session.enter();
}

/**
 * pg-copy-streams waits for ever, or worse, when the server does anything but copy.
 * @throws InvalidArgumentError
 */
export function checkCopy(sql: string, iterable?: { from: Iterable<unknown> }): void {
  const [wanted, form] = iterable
    ? ['a COPY … FROM STDIN', /\bcopy\b.*\bfrom\s+stdin\b/is]
    : ['a COPY … TO STDOUT', /\bcopy\b.*\bto\s+stdout\b/is];
  if (typeof sql !== 'string' || !form.test(sql))
    throw new InvalidArgumentError('sql', `${wanted} statement`, sql);
  if (iterable && typeof iterable.from?.[Symbol.iterator] !== 'function')
    throw new InvalidArgumentError('iterable', 'one of strings or Buffers', iterable.from);
}

/** Sends what `pieces` yields. @returns how many rows the server has taken */
export function copyFrom(
  session: Session,
  sql: string,
  pieces: Iterable<string | Uint8Array>,
): number {
  enter(session, 'copyFrom()');
  const operation = new CopyOperation();
  const stream = from(sql);
  stream.on('error', operation.fail);
  const stop = (reason?: unknown) => {
    // With an error this sends CopyFail: the server drops what it has got.
    stream.destroy(reason instanceof Error ? reason : new Error('the sender has stopped'));
    session.abandon(operation);
  };
  try {
    session.begin(operation, stream, getCurrent() as Greenlet);
    for (const chunk of chunks(pieces))
      operation.wait((wake) => stream.write(chunk, () => wake()), stop);
    stream.end();
    while (!operation.over) operation.wait(ignore, stop);
    return stream.rowCount;
  } catch (error) {
    if (!operation.over && !operation.abandoned) {
      if (operation.failure) session.abandon(operation, false);
      else stop(error);
    }
    throw error;
  }
}

function* chunks(pieces: Iterable<string | Uint8Array>): Generator<Buffer> {
  let parts: Buffer[] = [];
  let size = 0;
  for (const piece of pieces) {
    if (typeof piece !== 'string' && !(piece instanceof Uint8Array))
      throw new InvalidArgumentError('iterable', 'one of strings or Buffers', piece);
    const part = typeof piece === 'string' ? Buffer.from(piece) : Buffer.from(piece);
    parts.push(part);
    size += part.length;
    if (size < chunkSize) continue;
    yield Buffer.concat(parts, size);
    parts = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(parts, size);
}

/** The server's output in pieces as they come, which need not end where a row does. */
export function* copyTo(session: Session, sql: string): Generator<Buffer, void, undefined> {
  enter(session, 'copyTo()');
  const operation = new CopyOperation();
  const stream = to(sql);
  stream.on('error', (error) => {
    operation.fail(error);
    // It has given the socket back to pg, and must not read on from it.
    stream.destroy();
  });
  const drain = () => {
    while (stream.read() !== null);
  };
  const stop = () => {
    // What is under way has to be read, or the end never comes.
    stream.on('readable', drain);
    drain();
    session.abandon(operation);
  };
  let ended = false;
  stream.on('end', () => {
    ended = true;
    operation.wake?.();
  });
  stream.on('readable', () => operation.wake?.());
  try {
    session.begin(operation, stream, getCurrent() as Greenlet);
    for (;;) {
      if (operation.failure) throw operation.failure;
      const chunk = stream.read() as Buffer | null;
      if (chunk !== null) yield chunk;
      else if (ended) break;
      else operation.wait(ignore, stop);
    }
    while (!operation.over) operation.wait(ignore, stop);
  } finally {
    if (!operation.over && !operation.abandoned) {
      if (operation.failure) session.abandon(operation, false);
      else stop();
    }
  }
}
