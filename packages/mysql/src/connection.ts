/** Connection: mysql2's, with values in place of callbacks. */
import { InvalidArgumentError } from '@tendril/core';
import type { PrepareStatementInfo, QueryOptions } from 'mysql2';
import { connect } from './connect.js';
import { ConnectionClosedError } from './errors.js';
import { Killer } from './killer.js';
import { type ConnectionOptions, readOptions, splitKeeping } from './options.js';
import { PreparedStatement } from './prepared-statement.js';
import { Queryable } from './queryable.js';
import { Session } from './session.js';
import { type TransactionOptions, transact } from './transaction.js';

/**
 * One connection. Greenlets may share it: their commands run one after the other, and a transaction, however
 * it was begun, is its greenlet's alone until its end; others wait, with the limit of an acquire.
 */
export class Connection extends Queryable implements Disposable {
  /** Undefined once it is ended or released. */
  protected session: Session | undefined;

  /** For {@link createConnection}. */
  constructor(session: Session) {
    super();
    this.session = session;
  }

  /** @throws ConnectionClosedError */
  protected override take(): Session {
    if (!this.session) throw new ConnectionClosedError();
    return this.session;
  }

  protected override giveBack(_session: Session): void {}

  /** The server's id of this connection. */
  get threadId(): number {
    return this.take().threadId;
  }

  /**
   * Runs `fn` in a transaction: commits when it returns, rolls back when it throws, is killed or timed
   * out. Within a transaction it is a savepoint.
   */
  transaction<R>(fn: (connection: this) => R, options?: TransactionOptions): R {
    if (typeof fn !== 'function') throw new InvalidArgumentError('fn', 'a function', fn);
    return transact(this.take(), () => fn(this), options);
  }

  beginTransaction(): void {
    this.take().query('START TRANSACTION');
  }

  commit(): void {
    this.take().query('COMMIT');
  }

  rollback(): void {
    this.take().query('ROLLBACK');
  }

  ping(): void {
    this.take().command((raw, done) => raw.ping(done));
  }

  /** Sets the session back to how it began: variables, temporary tables, locks, the transaction. */
  reset(): void {
    this.take().reset();
  }

  /** Becomes somebody else, with a new session. If that fails the connection is lost. */
  changeUser(options: ConnectionOptions = {}): void {
    const session = this.take();
    session.foreign = true;
    session.changeUser(options);
  }

  /** A statement to be executed often. {@link execute} keeps its own, and needs no such thing. */
  prepare(sql: string | QueryOptions): PreparedStatement {
    const session = this.take();
    const [info] = session.command((raw, done) => raw.prepare(sql as string, done as never));
    return new PreparedStatement(session, info as PrepareStatementInfo, sql);
  }

  /** Forgets a statement that {@link execute} has kept. */
  unprepare(sql: string | QueryOptions): void {
    this.take().raw.unprepare(sql as string);
  }

  escape(value: unknown): string {
    return this.take().raw.escape(value);
  }

  escapeId(value: string | string[]): string {
    return this.take().raw.escapeId(value as string);
  }

  format(sql: string, values?: unknown): string {
    return this.take().raw.format(sql, values);
  }

  /** Says goodbye to the server; what is under way is broken off. Does not park. */
  end(): void {
    this.session?.end();
    this.session = undefined;
  }

  /** Breaks the connection off at once. */
  destroy(): void {
    this.session?.destroy();
    this.session = undefined;
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

/** Opens a connection, parking until the server has let it in. */
export function createConnection(options: ConnectionOptions | string): Connection {
  const { acquireTimeout, ...given } = readOptions(options);
  const [read, silence] = splitKeeping(given);
  const killer = new Killer(read);
  const session = new Session(connect(read), killer, acquireTimeout, silence);
  session.onLost = () => killer.close();
  return new Connection(session);
}
