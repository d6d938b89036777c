/** transact(): a transaction of a session, or a savepoint in it. */
import {
  InvalidArgumentError,
  type Transactional,
  type Turns,
  transact as transactOn,
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

function checkOptions({ isolation, retry = 0 }: TransactionOptions): number {
  if (isolation !== undefined && !levels.includes(isolation))
    throw new InvalidArgumentError('isolation', levels.join(', '), isolation);
  if (typeof retry === 'boolean') return retry ? defaultRetries : 0;
  if (!(Number.isInteger(retry) && retry >= 0))
    throw new InvalidArgumentError('retry', 'a whole number, 0 or more', retry);
  return retry;
}

/** Runs `fn` in a transaction, or within a transaction of the same greenlet in a savepoint. */
export function transact<R>(session: Session, fn: () => R, options: TransactionOptions = {}): R {
  const retry = checkOptions(options);
  return transactOn(new Transaction(session, options), fn, { retry });
}

class Transaction implements Transactional {
  readonly turns: Turns;
  readonly #session: Session;
  readonly #options: TransactionOptions;
  /** The isolation level was set for a transaction that has not begun. */
  #levelIsSet = false;

  constructor(session: Session, options: TransactionOptions) {
    this.#session = session;
    this.#options = options;
    this.turns = session.turns;
  }

  get inTransaction(): boolean {
    return this.#session.open;
  }

  get #begin(): string {
    return `START TRANSACTION${this.#options.readOnly ? ' READ ONLY' : ''}`;
  }

  begin(): void {
    const { isolation } = this.#options;
    this.#levelIsSet = isolation !== undefined;
    if (isolation) this.#session.query(`SET TRANSACTION ISOLATION LEVEL ${isolation}`);
    this.#session.query(this.#begin);
    this.#levelIsSet = false;
    this.#session.transacting = true;
  }

  commit(): void {
    this.#session.query('COMMIT');
    this.#session.transacting = false;
  }

  savepoint(name: string): void {
    const [given] = Object.entries(this.#options).find(([, value]) => value !== undefined) ?? [];
    if (given) throw new InvalidArgumentError(given, 'absent in a nested transaction', 'a value');
    this.#session.query(`SAVEPOINT ${name}`);
  }

  release(name: string): void {
    this.#session.query(`RELEASE SAVEPOINT ${name}`);
  }

  rollBack(savepoint?: string): void {
    const session = this.#session;
    if (savepoint !== undefined) {
      // After a deadlock there are no savepoints any more, and the outermost throws it again.
      if (!session.rolledBack) session.background(() => session.query(`ROLLBACK TO ${savepoint}`));
      return;
    }
    session.transacting = false;
    session.rolledBack = undefined;
    const begin = this.#levelIsSet ? this.#begin : undefined;
    session.background(() => {
      // The isolation level is for the next transaction, which may be somebody else's.
      if (begin) session.query(begin);
      session.query('ROLLBACK');
    });
  }

  settle(): void {
    this.#session.join();
  }

  isConflict(error: unknown): boolean {
    const errno = errnoOf(error);
    return !this.#session.lost && (errno === lockDeadlock || errno === lockWaitTimeout);
  }
}
