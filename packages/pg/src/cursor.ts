/** Cursors: a long answer, read in pieces as it is wanted. */
import {
  type Greenlet,
  getCurrent,
  InvalidArgumentError,
  park,
  UnsupportedError,
} from '@tendril/core';
import type { Operation } from './operation.js';
import { Portal, type PortalOptions } from './portal.js';
import type { Session } from './session.js';

export interface CursorOptions extends PortalOptions {
  /** Rows that are asked for, and held, at a time. Default: as many as have about 64 KiB. */
  batchSize?: number;
}

/** With twice as much V8 enlarged its space for young objects, and the process took twice the memory. */
const batchBytes = 64 * 1024;
const mostRows = 500;
/** Before it is known how long they are. */
const firstRows = 32;

/** @throws InvalidArgumentError */
export function checkCursor(sql: string, values: unknown, options: CursorOptions): void {
  if (typeof sql !== 'string') throw new InvalidArgumentError('sql', 'a string', sql);
  if (values !== undefined && values !== null && !Array.isArray(values))
    throw new InvalidArgumentError('params', 'an array', values);
  const { batchSize = 1 } = options;
  if (!(Number.isInteger(batchSize) && batchSize >= 1))
    throw new InvalidArgumentError('batchSize', 'a whole number from 1 on', batchSize);
}

class CursorOperation<R> implements Operation {
  abandoned = false;
  over = false;
  readonly portal: Portal<R>;
  readonly #session: Session;
  #begun = false;
  #wake: (() => void) | undefined;
  #lost: Error | undefined;

  constructor(session: Session, portal: Portal<R>) {
    this.#session = session;
    this.portal = portal;
    portal.onSuspended = () => this.#wake?.();
  }

  ended(lost?: Error): void {
    this.over = true;
    this.#lost = lost;
    this.#wake?.();
  }

  begin(): void {
    this.#session.begin(this, this.portal, getCurrent() as Greenlet);
    this.#begun = true;
  }

  /** Parks until what `start` has asked for is there. */
  read(start: () => void): R[] {
    park<void>((resume) => {
      this.#wake = resume;
      start();
      return () => this.#stop(true);
    });
    this.check();
    return this.portal.take();
  }

  /** @throws what has ended it before its last row */
  check(): void {
    const failure = this.portal.failure ?? this.#lost;
    if (failure !== undefined) throw failure;
  }

  leave(): void {
    if (this.#begun) this.#stop(false);
    else this.#session.leave();
  }

  /** With `busy` the server may be at work on it. */
  #stop(busy: boolean): void {
    if (this.over || this.abandoned) return;
    this.portal.close();
    this.#session.abandon(this, busy);
  }
}

/** As long as the last ones; but those may have been short by chance. */
function rowsThatFit({ count, bytes }: Portal<unknown>): number {
  const rows = Math.floor((batchBytes * count) / Math.max(1, bytes));
  return Math.max(1, Math.min(rows, 4 * count, mostRows));
}

/** The rows, one by one. The session is taken from the first row to the last, or until it is left. */
export function* readCursor<R>(
  session: Session,
  sql: string,
  values: unknown[] | undefined,
  options: CursorOptions,
): Generator<R, void, undefined> {
  if (session.raw.pipeline) throw new UnsupportedError('cursor()', 'a client without `pipeline`');
  const portal = new Portal<R>(sql, values, options.batchSize ?? firstRows, options);
  const next = () => options.batchSize ?? rowsThatFit(portal);
  session.enter();
  const operation = new CursorOperation(session, portal);
  try {
    yield* operation.read(() => operation.begin());
    while (!operation.over) yield* operation.read(() => portal.fetch(next()));
    // It may have been lost while the last rows were looked at.
    operation.check();
  } finally {
    operation.leave();
  }
}
