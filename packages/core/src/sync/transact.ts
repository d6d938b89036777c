/** transact(): begin, commit or roll back, and what happens in between. */
import { InvalidArgumentError } from '../errors.js';
import { sleep } from '../greenlet/spawn.js';
import { follow, thenOf } from '../greenlet/thenable.js';
import { wasInterrupted } from '../hub/was-interrupted.js';
import type { Turns } from './turns.js';

/** A connection, as {@link transact} uses it. What may park says so. */
export interface Transactional {
  readonly turns: Turns;
  /** The server has a transaction open, as far as it has answered. */
  readonly inTransaction: boolean;
  /** Parks. */
  begin(): void;
  /** Parks. Throws if the server has rolled back instead. */
  commit(): void;
  /** Parks. May refuse what cannot be nested. */
  savepoint(name: string): void;
  /** Parks: forgets a savepoint, and keeps what was done since. */
  release(name: string): void;
  /** Takes all back, or what was done since a savepoint, in the background: must neither park nor throw. */
  rollBack(savepoint?: string): void;
  /** Parks until nothing goes on in the background. */
  settle(): void;
  /** Another transaction was in the way: the same again may succeed. */
  isConflict(error: unknown): boolean;
}

export interface TransactOptions {
  /** How often `fn` is run again after a conflict; default 0. */
  retry?: number;
}

/** Milliseconds at most before the first repetition, doubled for each further one. */
const firstPause = 20;
const longestPause = 1000;

let savepoints = 0;

/**
 * Runs `fn` in a transaction that the current greenlet has for itself (see {@link Turns}), or within its own
 * between savepoints. An error rolls it back. Who was interrupted goes on at once; others find it done.
 * @throws what `fn` and the connection throw, AcquireTimeoutError, ConcurrentUseError
 */
export function transact<R>(
  connection: Transactional,
  fn: () => R,
  { retry = 0 }: TransactOptions = {},
): R {
  if (typeof fn !== 'function') throw new InvalidArgumentError('fn', 'a function', fn);
  if (!(retry >= 0)) throw new InvalidArgumentError('retry', 'a number, 0 or more', retry);
  if (connection.turns.owned) return nested(connection, fn);
  for (let attempt = 0; ; attempt++) {
    try {
      return owned(connection, fn);
    } catch (error) {
      if (attempt >= retry || !connection.isConflict(error)) throw error;
    }
    // Both sides of a deadlock at the same pace would meet again.
    sleep(1 + Math.random() * Math.min(longestPause, firstPause * 2 ** attempt));
  }
}

function owned<R>(connection: Transactional, fn: () => R): R {
  const end = connection.turns.own();
  try {
    connection.settle();
    // Begun by hand, by a greenlet that has ended: nobody would commit it, and this must not.
    if (connection.inTransaction) {
      connection.rollBack();
      connection.settle();
    }
    return outermost(connection, fn);
  } finally {
    end();
  }
}

function outermost<R>(connection: Transactional, fn: () => R): R {
  try {
    connection.begin();
    const result = checked(fn());
    connection.commit();
    return result;
  } catch (error) {
    undo(connection, error);
    throw error;
  }
}

function nested<R>(connection: Transactional, fn: () => R): R {
  connection.settle();
  const name = `tendril_${++savepoints}`;
  connection.savepoint(name);
  try {
    const result = checked(fn());
    connection.release(name);
    return result;
  } catch (error) {
    undo(connection, error, name);
    throw error;
  }
}

/** An async function returns at its first `await`: to commit then would be a trap. */
function checked<R>(result: R): R {
  const then = thenOf(result);
  if (!then) return result;
  follow(
    result,
    then,
    () => {},
    () => {},
  );
  throw new InvalidArgumentError('fn', 'a function that parks, and returns no promise', result);
}

function undo(connection: Transactional, error: unknown, savepoint?: string): void {
  connection.rollBack(savepoint);
  if (!wasInterrupted(error)) connection.settle();
}
