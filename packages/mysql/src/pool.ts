/** Pool: connections that are lent to greenlets. */
import { PoolClosedError, ResourcePool, type TimeoutOption } from '@tendril/core';
import * as driver from 'mysql2';
import { connect } from './connect.js';
import { Killer } from './killer.js';
import { type PoolOptions, type PoolSettings, readOptions, splitOptions } from './options.js';
import { PoolConnection } from './pool-connection.js';
import { Queryable } from './queryable.js';
import { Session } from './session.js';
import type { TransactionOptions } from './transaction.js';

/** Milliseconds for a statement that was stopped to end, and for the login after it: see `grace` in session.ts. */
const resetTimeout = 8000;
/** Milliseconds that `end()` waits for what is lent. */
const defaultEnd = 30_000;

export interface PoolStatistics {
  /** All there are: idle, lent, being opened, and being put in order. */
  size: number;
  idle: number;
  lent: number;
  waiting: number;
}

export class Pool extends Queryable implements Disposable {
  readonly #settings: PoolSettings;
  readonly #options: driver.ConnectionOptions;
  readonly #killer: Killer;
  readonly #connections: ResourcePool<Session>;

  /** Opens nothing yet. @throws InvalidArgumentError */
  constructor(options: PoolOptions | string) {
    super();
    const [settings, rest] = splitOptions(readOptions(options));
    this.#settings = settings;
    this.#options = rest;
    this.#killer = new Killer(rest);
    this.#connections = new ResourcePool<Session>({
      create: () => this.#create(),
      destroy: (session) => session.end(),
      isUsable: (session) => !session.lost,
      needsReset: (session) => !session.lost && (settings.resetOnRelease || !session.settled),
      reset: (session) => this.#reset(session),
      resetTimeout,
      max: settings.max,
      acquireTimeout: settings.acquireTimeout,
      idleTimeout: settings.idleTimeout,
      maxWaiting: settings.maxWaiting,
    });
  }

  #create(): Session {
    const { acquireTimeout, silence } = this.#settings;
    const session = new Session(connect(this.#options), this.#killer, acquireTimeout, silence);
    session.onLost = () => this.#connections.drop(session);
    try {
      this.#prepare(session);
    } catch (error) {
      session.destroy();
      throw error;
    }
    return session;
  }

  #prepare(session: Session): void {
    const { onConnect } = this.#settings;
    if (!onConnect) return;
    using connection = new PoolConnection(session, () => {});
    onConnect(connection);
  }

  #reset(session: Session): void {
    session.join();
    const { resetOnRelease } = this.#settings;
    if (session.tainted || resetOnRelease) {
      if (session.tainted) session.changeUser();
      else session.reset();
      this.#prepare(session);
    } else if (session.unfinished) session.query('ROLLBACK');
  }

  protected override take(): Session {
    return this.#connections.acquire();
  }

  protected override giveBack(session: Session): void {
    session.endLease();
    const { max, maxIdle } = this.#settings;
    let destroy = session.foreign;
    if (maxIdle < max) {
      const { idle, waiting } = this.#connections.statistics();
      destroy ||= idle >= maxIdle && waiting === 0;
    }
    this.#connections.release(session, { destroy });
  }

  /**
   * Lends a connection, parking until there is one. Give it back: `using connection = …`, or
   * `connection.release()`.
   * @throws AcquireTimeoutError, PoolClosedError, and mysql2's errors of connecting
   */
  getConnection(options?: TimeoutOption): PoolConnection {
    const session = this.#connections.acquire(options);
    return new PoolConnection(session, () => this.giveBack(session));
  }

  /** {@link PoolConnection.release}. */
  releaseConnection(connection: PoolConnection): void {
    connection.release();
  }

  /** Runs `fn` in a transaction on a connection of its own: see {@link Connection.transaction}. */
  transaction<R>(fn: (connection: PoolConnection) => R, options?: TransactionOptions): R {
    using connection = this.getConnection();
    return connection.transaction(fn, options);
  }

  escape(value: unknown): string {
    return driver.escape(value as never, false, this.#options.timezone);
  }

  escapeId(value: string | string[]): string {
    return driver.escapeId(value as string);
  }

  format(sql: string, values?: unknown): string {
    const { stringifyObjects, timezone } = this.#options;
    return driver.format(sql, values as never, stringifyObjects, timezone);
  }

  /**
   * Lends no more, and parks until what is lent has come back and all is closed; after `timeout`
   * milliseconds, 30,000 unless told otherwise, what is under way is stopped on the server and fails
   * with PoolClosedError.
   */
  end({ timeout = defaultEnd }: TimeoutOption = {}): void {
    if (!this.#connections.close({ timeout }))
      for (const session of this.#connections.lent()) session.destroy(new PoolClosedError());
    this.#killer.close();
  }

  close(options?: TimeoutOption): void {
    this.end(options);
  }

  [Symbol.dispose](): void {
    this.end();
  }

  statistics(): PoolStatistics {
    return this.#connections.statistics();
  }
}

export function createPool(options: PoolOptions | string): Pool {
  return new Pool(options);
}
