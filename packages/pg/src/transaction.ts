/** Transactions: all or nothing, again on a conflict, nested by savepoints. */
import { InvalidArgumentError, isExit, sleep, Timeout, UnsupportedError } from '@tendril/core';
import { TransactionAbortedError } from './errors.js';
import type { Session } from './session.js';

export type Isolation = 'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable';

export interface TransactionOptions {
  /** In small or capital letters. Default the server's, usually `read committed`. */
  isolation?: Isolation | Uppercase<Isolation>;
  readOnly?: boolean;
  /** Only of use for `serializable` and `readOnly`: waits for a snapshot that cannot conflict. */
  deferrable?: boolean;
  /**
   * How often the function is run again after a conflict with another transaction: SQLSTATE 40001
   * (serialization_failure) and 40P01 (deadlock_detected). Default 0.
   */
  retry?: number;
}

const isolations = ['READ UNCOMMITTED', 'READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'];
const conflicts = new Set(['40001', '40P01']);

/** Milliseconds at most before the first repetition, doubled for each further one. */
const firstPause = 10;
const longestPause = 1000;

function beginStatement(options: TransactionOptions): string {
  const { isolation, readOnly, deferrable } = options;
  let sql = 'BEGIN';
  if (isolation !== undefined) {
    const level = String(isolation).toUpperCase();
    if (!isolations.includes(level))
      throw new InvalidArgumentError('isolation', `one of ${isolations.join(', ')}`, isolation);
    sql += ` ISOLATION LEVEL ${level}`;
  }
  if (readOnly !== undefined) sql += readOnly ? ' READ ONLY' : ' READ WRITE';
  if (deferrable !== undefined) sql += deferrable ? ' DEFERRABLE' : ' NOT DEFERRABLE';
  return sql;
}

/** Runs `fn` in a transaction of `session`; within one, between savepoints. Returns what `fn` does. */
export function transact<R>(session: Session, fn: () => R, options: TransactionOptions): R {
  if (typeof fn !== 'function') throw new InvalidArgumentError('fn', 'a function', fn);
  const begin = beginStatement(options);
  const { retry = 0 } = options;
  if (!(retry >= 0)) throw new InvalidArgumentError('retry', 'a number, 0 or more', retry);
  if (session.raw.pipeline)
    throw new UnsupportedError('transaction()', 'a client without `pipeline`');
  session.waitRecovered();
  const status = session.raw.getTransactionStatus();
  if (status === 'T' || status === 'E') {
    if (begin !== 'BEGIN')
      throw new InvalidArgumentError('options', 'given to the outermost transaction', begin);
    return nested(session, fn);
  }
  for (let attempt = 0; ; attempt++) {
    try {
      return outermost(session, begin, fn);
    } catch (error) {
      if (attempt >= retry || !conflicts.has((error as { code?: string })?.code ?? '')) throw error;
    }
    sleep(Math.random() * Math.min(longestPause, firstPause * 2 ** attempt));
  }
}

function outermost<R>(session: Session, begin: string, fn: () => R): R {
  try {
    session.query(begin);
    const result = checked(fn());
    if (session.query('COMMIT').command === 'ROLLBACK') throw new TransactionAbortedError();
    return result;
  } catch (error) {
    undo(session, 'ROLLBACK', error);
    throw error;
  }
}

let savepoints = 0;

function nested<R>(session: Session, fn: () => R): R {
  const name = `tendril_${++savepoints}`;
  session.query(`SAVEPOINT ${name}`);
  try {
    const result = checked(fn());
    session.query(`RELEASE SAVEPOINT ${name}`);
    return result;
  } catch (error) {
    undo(session, `ROLLBACK TO SAVEPOINT ${name}; RELEASE SAVEPOINT ${name}`, error);
    throw error;
  }
}

/** An async function returns at its first `await`: to commit then would be a trap. */
function checked<R>(result: R): R {
  const { then } = (result ?? {}) as { then?: unknown };
  if (typeof then !== 'function') return result;
  (result as unknown as Promise<unknown>).then(undefined, () => {});
  throw new InvalidArgumentError('fn', 'a function that parks, and returns no promise', result);
}

/** Who was killed or timed out goes on at once; others find it done. */
function undo(session: Session, sql: string, error: unknown): void {
  const interrupted = session.recovering || isExit(error) || error instanceof Timeout;
  session.cleanUp(sql);
  if (!interrupted) session.waitRecovered();
}
