/** Transactions: all or nothing, again on a conflict, nested by savepoints. */
import {
  InvalidArgumentError,
  type Transactional,
  type Turns,
  transact,
  UnsupportedError,
} from '@tendril/core';
import { TransactionAbortedError } from './errors.js';
import { runQuery } from './query.js';
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

/** The transactions of one session, begun by `begin`. */
class Transactions implements Transactional {
  readonly turns: Turns;
  readonly #session: Session;
  readonly #begin: string;

  constructor(session: Session, begin: string) {
    this.turns = session.turns;
    this.#session = session;
    this.#begin = begin;
  }

  get inTransaction(): boolean {
    return this.#session.inTransaction;
  }

  begin(): void {
    runQuery(this.#session, this.#begin);
  }

  commit(): void {
    if (runQuery(this.#session, 'COMMIT').command === 'ROLLBACK')
      throw new TransactionAbortedError();
  }

  savepoint(name: string): void {
    if (this.#begin !== 'BEGIN')
      throw new InvalidArgumentError('options', 'given to the outermost transaction', this.#begin);
    runQuery(this.#session, `SAVEPOINT ${name}`);
  }

  release(name: string): void {
    runQuery(this.#session, `RELEASE SAVEPOINT ${name}`);
  }

  rollBack(savepoint?: string): void {
    this.#session.cleanUp(
      savepoint ? `ROLLBACK TO SAVEPOINT ${savepoint}; RELEASE SAVEPOINT ${savepoint}` : 'ROLLBACK',
    );
  }

  settle(): void {
    this.#session.waitRecovered();
  }

  isConflict(error: unknown): boolean {
    return conflicts.has((error as { code?: string } | undefined)?.code ?? '');
  }
}

/** Runs `fn` in a transaction of `session`; within one, between savepoints. Returns what `fn` does. */
export function transaction<R>(session: Session, fn: () => R, options: TransactionOptions): R {
  const begin = beginStatement(options);
  if (session.raw.pipeline)
    throw new UnsupportedError('transaction()', 'a client without `pipeline`');
  return transact(new Transactions(session, begin), fn, options);
}
