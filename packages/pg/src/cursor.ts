/** Cursors: a long answer, read in pieces as it is wanted. */
import {
  type Greenlet,
  getCurrent,
  InvalidArgumentError,
  park,
  UnsupportedError,
} from '@tendril/core';
import type { CustomTypesConfig } from 'pg';
import Cursor from 'pg-cursor';
import type { Operation } from './operation.js';
import type { Session } from './session.js';

export interface CursorOptions {
  /** Rows that are asked for, and held, at a time. Default 100. */
  batchSize?: number;
  /** Rows as arrays of values. */
  rowMode?: 'array';
  types?: CustomTypesConfig;
}

const defaultBatchSize = 100;

type RawCursor<R> = Cursor<R> & {
  readonly state: 'initialized' | 'submitted' | 'idle' | 'busy' | 'error' | 'done';
  handleDataRow(message: unknown): void;
};

/** @throws InvalidArgumentError */
export function checkCursor(sql: string, values: unknown, options: CursorOptions): void {
  if (typeof sql !== 'string') throw new InvalidArgumentError('sql', 'a string', sql);
  if (values !== undefined && values !== null && !Array.isArray(values))
    throw new InvalidArgumentError('params', 'an array', values);
  const { batchSize = defaultBatchSize } = options;
  if (!(Number.isInteger(batchSize) && batchSize >= 1))
    throw new InvalidArgumentError('batchSize', 'a whole number from 1 on', batchSize);
}

class CursorOperation<R> implements Operation {
  abandoned = false;
  over = false;
  /** Ends the read that waits. */
  onLost: ((error: Error) => void) | undefined;
  readonly cursor: RawCursor<R>;
  #parseError: { readonly error: unknown } | undefined;

  constructor(sql: string, values: unknown[] | undefined, options: CursorOptions) {
    const { rowMode, types } = options;
    const config = { ...(rowMode && { rowMode }), ...(types && { types }) };
    this.cursor = new Cursor<R>(sql, values, config) as RawCursor<R>;
    // A type parser that throws would do so in the event of a socket, and end the process.
    const { cursor } = this;
    const take = cursor.handleDataRow;
    cursor.handleDataRow = (message) => {
      try {
        take.call(cursor, message);
      } catch (error) {
        this.#parseError ??= { error };
      }
    };
  }

  ended(lost?: Error): void {
    this.over = true;
    if (lost) this.onLost?.(lost);
  }

  /** Closes the portal on the server, if it is open. */
  close(): void {
    if (this.cursor.state !== 'error') this.cursor.close(() => {});
  }

  read(session: Session, count: number): R[] {
    const rows = park<R[]>((resume) => {
      this.onLost = resume.error;
      this.cursor.read(count, (error, batch) => (error ? resume.error(error) : resume(batch)));
      return () => {
        this.close();
        if (!this.over) session.abandon(this);
      };
    });
    if (this.#parseError) throw this.#parseError.error;
    return rows;
  }
}

/** The rows, one by one. The session is taken from the first row to the last, or until it is left. */
export function* readCursor<R>(
  session: Session,
  sql: string,
  values: unknown[] | undefined,
  options: CursorOptions,
): Generator<R, void, undefined> {
  if (session.raw.pipeline) throw new UnsupportedError('cursor()', 'a client without `pipeline`');
  session.enter();
  const operation = new CursorOperation<R>(sql, values, options);
  const count = options.batchSize ?? defaultBatchSize;
  try {
    session.begin(operation, operation.cursor, getCurrent() as Greenlet);
    while (!operation.over) {
      const rows = operation.read(session, count);
      yield* rows;
    }
  } finally {
    if (!operation.over && !operation.abandoned) {
      operation.close();
      session.abandon(operation, false);
    }
  }
}
