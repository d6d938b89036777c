/** transact(): begin, commit, and what happens in between. */
import {
  ConcurrentUseError,
  getCurrent,
  InvalidArgumentError,
  isExit,
  sleep,
  Timeout,
} from '@tendril/core';
import { errnoOf, lockDeadlock, lockWaitTimeout } from './errors.js';
import type { Session } from './session.js';

export type IsolationLevel =
  | 'READ UNCOMMITTED'
  | 'READ COMMITTED'
  | 'REPEATABLE READ'
  | 'SERIALIZABLE';

export interface TransactionOptions {
  /** Default the server's. */
  isolation?: IsolationLevel;
  /** The server refuses to write. Default false. */
  readOnly?: boolean;
  /**
   * How many times more to run `fn` when the server has ended the transaction for a deadlock
   * (ER_LOCK_DEADLOCK) or a lock that did not come (ER_LOCK_WAIT_TIMEOUT); true is 3. Default 0.
   */
  retry?: number | boolean;
}

const levels = ['READ UNCOMMITTED', 'READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'];
const defaultRetries = 3;
/** Milliseconds to wait at most before the first repetition; the next may take longer. */
const firstPause = 20;

function checkOptions({ isolation, retry = 0 }: TransactionOptions): number {
  if (isolation !== undefined && !levels.includes(isolation))
    throw new InvalidArgumentError('isolation', levels.join(', '), isolation);
  if (typeof retry === 'boolean') return retry ? defaultRetries : 0;
  if (!(Number.isInteger(retry) && retry >= 0))
    throw new InvalidArgumentError('retry', 'a whole number, 0 or more', retry);
  return retry;
}

/** Runs `fn` in a transaction, or within a transaction in a savepoint. */
export function transact<R>(session: Session, fn: () => R, options: TransactionOptions = {}): R {
  let left = checkOptions(options);
  if (session.transaction) return nest(session, fn, options);
  for (let pause = firstPause; ; pause *= 2) {
    try {
      return attempt(session, fn, options);
    } catch (error) {
      if (left-- === 0 || session.lost || !isConflict(error)) throw error;
    }
    // Both sides of a deadlock at the same pace would meet again.
    sleep(1 + Math.random() * pause);
  }
}

function isConflict(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === lockDeadlock || errno === lockWaitTimeout;
}

function attempt<R>(session: Session, fn: () => R, { isolation, readOnly }: TransactionOptions): R {
  const begin = `START TRANSACTION${readOnly ? ' READ ONLY' : ''}`;
  let begun = false;
  try {
    if (isolation) session.query(`SET TRANSACTION ISOLATION LEVEL ${isolation}`);
    session.query(begin);
    begun = true;
    session.transaction = { owner: getCurrent(), depth: 0 };
    const result = call(session, fn);
    session.query('COMMIT');
    session.transaction = undefined;
    return result;
  } catch (error) {
    session.transaction = session.rolledBack = undefined;
    undo(session, error, () => {
      // The isolation level is for the next transaction, which may be somebody else's.
      if (isolation && !begun) session.query(begin);
      session.query('ROLLBACK');
    });
    throw error;
  }
}

function nest<R>(session: Session, fn: () => R, options: TransactionOptions): R {
  const transaction = session.transaction as NonNullable<Session['transaction']>;
  if (transaction.owner !== getCurrent())
    throw new ConcurrentUseError('The transaction of this connection');
  const [given] = Object.entries(options).find(([, value]) => value !== undefined) ?? [];
  if (given) throw new InvalidArgumentError(given, 'absent in a nested transaction', 'a value');
  const name = `tendril_${transaction.depth}`;
  session.query(`SAVEPOINT ${name}`);
  transaction.depth++;
  try {
    const result = call(session, fn);
    session.query(`RELEASE SAVEPOINT ${name}`);
    return result;
  } catch (error) {
    // After a deadlock there are no savepoints any more, and the outermost throws it again.
    if (!session.rolledBack) undo(session, error, () => session.query(`ROLLBACK TO ${name}`));
    throw error;
  } finally {
    transaction.depth--;
  }
}

function call<R>(session: Session, fn: () => R): R {
  const result = fn();
  if (typeof (result as { then?: unknown } | null | undefined)?.then === 'function')
    throw new InvalidArgumentError('fn', 'a function that returns no promise', result);
  // The user has caught the deadlock; what was done before it is lost all the same.
  if (session.rolledBack) throw session.rolledBack;
  return result;
}

/**
 * Rolls back in the background. Who was killed or timed out goes on at once; who failed may see the
 * locks gone.
 */
function undo(session: Session, error: unknown, work: () => void): void {
  const interrupted = isExit(error) || error instanceof Timeout || session.inDisorder;
  session.background(work);
  if (!interrupted) session.join();
}
