/** transact(): a transaction of mysql2's connection, as core's transact() wants it told. */
import {
  InvalidArgumentError,
  transact as runTransaction,
  type Transactional,
} from '@tendril/core';
import { ConnectionClosedError, errnoOf, lockDeadlock, lockWaitTimeout } from './errors.js';
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

function retriesOf({ isolation, retry = 0 }: TransactionOptions): number {
  if (isolation !== undefined && !levels.includes(isolation))
    throw new InvalidArgumentError('isolation', levels.join(', '), isolation);
  if (typeof retry === 'boolean') return retry ? defaultRetries : 0;
  if (!(Number.isInteger(retry) && retry >= 0))
    throw new InvalidArgumentError('retry', 'a whole number, 0 or more', retry);
  return retry;
}

class Transaction implements Transactional {
  readonly #session: Session;
  readonly #options: TransactionOptions;
  /** A pool that has had the connection back since may have lent it to somebody else. */
  readonly #lease: number;
  /** SET TRANSACTION was sent, which counts for the next one, and that has not begun. */
  #pending = false;

  constructor(session: Session, options: TransactionOptions) {
    this.#session = session;
    this.#options = options;
    this.#lease = session.lease;
  }

  get #isOver(): boolean {
    return this.#session.lease !== this.#lease;
  }

  #query(sql: string): void {
    if (this.#isOver) throw new ConnectionClosedError();
    this.#session.query(sql);
  }

  get turns() {
    return this.#session.turns;
  }

  get inTransaction(): boolean {
    return this.#session.open;
  }

  get #start(): string {
    return `START TRANSACTION${this.#options.readOnly ? ' READ ONLY' : ''}`;
  }

  begin(): void {
    const session = this.#session;
    const { isolation } = this.#options;
    session.within = true;
    this.#pending = isolation !== undefined;
    if (isolation) this.#query(`SET TRANSACTION ISOLATION LEVEL ${isolation}`);
    this.#query(this.#start);
    this.#pending = false;
  }

  commit(): void {
    const session = this.#session;
    // The user has caught the deadlock; what was done before it is lost all the same.
    if (session.rolledBack) throw session.rolledBack;
    this.#query('COMMIT');
    session.within = false;
  }

  savepoint(name: string): void {
    const [given] = Object.entries(this.#options).find(([, value]) => value !== undefined) ?? [];
    if (given) throw new InvalidArgumentError(given, 'absent in a nested transaction', 'a value');
    this.#query(`SAVEPOINT ${name}`);
  }

  release(name: string): void {
    if (this.#session.rolledBack) throw this.#session.rolledBack;
    this.#query(`RELEASE SAVEPOINT ${name}`);
  }

  rollBack(savepoint?: string): void {
    if (this.#isOver) return;
    const session = this.#session;
    if (savepoint !== undefined) {
      // After a deadlock there are no savepoints any more, and the outermost throws it again.
      if (!session.rolledBack) session.background(() => session.query(`ROLLBACK TO ${savepoint}`));
      return;
    }
    session.within = false;
    session.rolledBack = undefined;
    session.background(() => {
      if (this.#pending) session.query(this.#start);
      session.query('ROLLBACK');
    });
  }

  settle(): void {
    this.#session.join();
  }

  isConflict(error: unknown): boolean {
    const errno = errnoOf(error);
    return (
      !(this.#session.lost || this.#isOver) && (errno === lockDeadlock || errno === lockWaitTimeout)
    );
  }
}

/** Runs `fn` in a transaction, or within a transaction in a savepoint. */
export function transact<R>(session: Session, fn: () => R, options: TransactionOptions = {}): R {
  const retry = retriesOf(options);
  return runTransaction(new Transaction(session, options), fn, { retry });
}
