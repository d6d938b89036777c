/** rows(): a result row by row, with no more in memory than one read of the socket. */
import { park } from '@tendril/core';
import type { QueryOptions, QueryValues } from 'mysql2';
import { socketOf } from './connect.js';
import type { Session } from './session.js';

/**
 * Runs a query and yields its rows. While the consumer is busy the socket is paused, and the server
 * waits. Leaving early stops the query on the server.
 */
export function* rows<T>(
  session: Session,
  sql: string | QueryOptions,
  values?: QueryValues,
): Generator<T, void, undefined> {
  session.begin();
  const { raw } = session;
  let batch: T[] = [];
  let ended = false;
  let left = false;
  let failure: Error | undefined;
  let hasRows = false;
  let wake: (() => void) | undefined;

  const fail = (error: Error) => {
    session.noteError(error);
    failure = error;
    ended = true;
    wake?.();
  };
  const take = (row: T) => {
    if (left) return;
    if (!hasRows) session.noteResult(row, undefined);
    else if (batch.push(row) === 1) {
      // What is read already is still parsed, and goes into this batch.
      socketOf(raw).pause();
      wake?.();
    }
  };

  session.fail = fail;
  try {
    raw
      .query(sql as string, values)
      .on('fields', (fields: unknown) => {
        hasRows = fields !== undefined;
      })
      .on('result', take as never)
      .on('error', fail)
      .on('end', () => {
        ended = true;
        session.finish();
        socketOf(raw).resume();
        wake?.();
      });
  } catch (error) {
    session.finish();
    throw error;
  }
  try {
    for (;;) {
      if (batch.length === 0) {
        if (ended) break;
        park<void>((resume) => {
          wake = resume as () => void;
          socketOf(raw).resume();
          session.watch();
        });
        wake = undefined;
      }
      const ready = batch;
      batch = [];
      yield* ready;
    }
  } finally {
    if (!ended) {
      left = true;
      batch = [];
      session.abandon();
      socketOf(raw).resume();
    }
  }
  if (!failure) return;
  Error.captureStackTrace(failure, rows);
  throw failure;
}
