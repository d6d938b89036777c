/** Pool: connections, each lent to one greenlet at a time. */
import {
  Event,
  InvalidArgumentError,
  PoolClosedError,
  ResourcePool,
  type TimeoutOption,
} from '@tendril/core';
import type {
  QueryArrayConfig,
  QueryArrayResult,
  QueryConfig,
  QueryConfigValues,
  QueryResult,
  QueryResultRow,
} from 'pg';
import { checkCopy, copyFrom, copyTo } from './copy.js';
import { type CursorOptions, checkCursor, readCursor } from './cursor.js';
import { type Listener, listen } from './listener.js';
import { limit, optionsOf, type PoolOptions } from './options.js';
import { PoolClient } from './pool-client.js';
import type { Any, Queries } from './queries.js';
import type { QueryInput } from './query.js';
import { Session } from './session.js';
import type { TransactionOptions } from './transaction.js';

const defaultIdleTimeout = 10_000;

/** For `end()`: for the work in flight, and then for what the server is asked to take. */
const defaultEndTimeout = 30_000;
const goneLimit = 3000;

/**
 * @example
 *     using pool = new Pool({ connectionString: 'postgres://localhost/app', max: 20 });
 *     const { rows } = pool.query('SELECT * FROM users WHERE id = $1', [id]);
 *     pool.transaction((client) => {
 *       client.query('UPDATE …');
 *       client.query('INSERT …');
 *     });
 */
export class Pool implements Queries, Disposable {
  readonly options: Readonly<PoolOptions>;
  readonly #sessions: ResourcePool<Session>;
  /** All whose connections are not closed yet. */
  readonly #open = new Set<Session>();
  readonly #none = new Event();
  readonly #listeners = new Set<Listener>();
  readonly #maxUses: number;
  readonly #maxLifetime: number;

  /** Connects when a connection is wanted. @throws InvalidArgumentError */
  constructor(options?: string | PoolOptions) {
    const given = optionsOf(options);
    this.options = given;
    if ('pipeline' in given && given.pipeline)
      throw new InvalidArgumentError(
        'pipeline',
        'given to a Client: a pool lends to one at a time',
        true,
      );
    const unlimited = Number.POSITIVE_INFINITY;
    this.#maxUses = limit('maxUses', given.maxUses, unlimited) ?? unlimited;
    this.#maxLifetime =
      1000 * (limit('maxLifetimeSeconds', given.maxLifetimeSeconds, 0) ?? unlimited);
    const { max, acquireTimeout, maxWaiting } = given;
    const idleTimeout =
      limit('idleTimeoutMillis', given.idleTimeoutMillis, defaultIdleTimeout) ?? unlimited;
    this.#sessions = new ResourcePool<Session>({
      create: () => this.#create(),
      destroy: (session) => session.end(),
      isUsable: (session) => this.#isUsable(session),
      idleTimeout,
      ...(max !== undefined && { max }),
      ...(acquireTimeout !== undefined && { acquireTimeout }),
      ...(maxWaiting !== undefined && { maxWaiting }),
    });
    this.#none.set();
  }

  // ----------------------------------------------------------------- queries

  /** Parks for the answer. A kill or a timeout stops the query on the server. */
  query<R extends Any[] = Any[], I = Any[]>(
    config: QueryArrayConfig<I>,
    values?: QueryConfigValues<I>,
  ): QueryArrayResult<R>;
  query<R extends QueryResultRow = Any, I = Any[]>(
    textOrConfig: string | QueryConfig<I>,
    values?: QueryConfigValues<I>,
  ): QueryResult<R>;
  query(config: QueryInput, values?: unknown[]): unknown {
    const session = this.#lend();
    try {
      return session.query(config, values);
    } finally {
      this.#giveBack(session);
    }
  }

  /** Lends a client, parking until there is one: `using client = pool.connect()`. */
  connect(): PoolClient {
    return new PoolClient(this.#lend(), (session, destroy) => this.#giveBack(session, destroy));
  }

  transaction<R>(fn: (client: PoolClient) => R, options: TransactionOptions = {}): R {
    using client = this.connect();
    return client.transaction(fn as (client: unknown) => R, options);
  }

  cursor<R = Any>(sql: string, params?: unknown[], options: CursorOptions = {}) {
    checkCursor(sql, params, options);
    return this.#through((session) => readCursor<R>(session, sql, params, options));
  }

  copyFrom(sql: string, iterable: Iterable<string | Uint8Array>): number {
    checkCopy(sql, { from: iterable });
    const session = this.#lend();
    try {
      return copyFrom(session, sql, iterable);
    } finally {
      this.#giveBack(session);
    }
  }

  copyTo(sql: string): Generator<Buffer, void, undefined> {
    checkCopy(sql);
    return this.#through((session) => copyTo(session, sql));
  }

  /** Has a connection from the first piece to the last, or until it is left. */
  *#through<T>(read: (session: Session) => Iterable<T>): Generator<T, void, undefined> {
    const session = this.#lend();
    try {
      yield* read(session);
    } finally {
      this.#giveBack(session);
    }
  }

  /** Notifications of `channel`, on a connection of their own that does not count as one of the pool. */
  listen(channel: string): Listener {
    if (this.#sessions.closed) throw new PoolClosedError();
    return listen(this.options, channel, this.#listeners);
  }

  // ------------------------------------------------------------- connections

  #create(): Session {
    const session = new Session(this.options);
    this.#open.add(session);
    this.#none.clear();
    session.onLost = () => this.#sessions.drop(session);
    session.gone.link(() => {
      this.#open.delete(session);
      if (this.#open.size === 0) this.#none.set();
    });
    session.connect();
    if (this.options.onConnect) {
      const client = new PoolClient(session, () => {});
      try {
        this.options.onConnect(client);
      } catch (error) {
        session.end();
        throw error;
      }
    }
    return session;
  }

  #isUsable(session: Session): boolean {
    return (
      session.usable &&
      session.uses < this.#maxUses &&
      performance.now() - session.born < this.#maxLifetime
    );
  }

  #lend(): Session {
    const session = this.#sessions.acquire();
    session.uses++;
    return session;
  }

  /** It is lent again when it is clean, which may be later. */
  #giveBack(session: Session, destroy = false): void {
    if (destroy) this.#sessions.release(session, { destroy });
    else session.whenClean((clean) => this.#sessions.release(session, { destroy: !clean }));
  }

  /**
   * Lends no more and parks until all that is lent has come back, at most `timeout` milliseconds (default
   * 30,000); what still runs then is stopped on the server. Closes all connections and listeners.
   */
  end({ timeout = defaultEndTimeout }: TimeoutOption = {}): void {
    for (const each of this.#listeners) each.close();
    this.#sessions.close({ timeout });
    for (const each of this.#open) each.end();
    this.#none.wait({ timeout: goneLimit });
  }

  /** Ends it without waiting, and stops what runs. */
  [Symbol.dispose](): void {
    for (const each of this.#listeners) each.close();
    this.#sessions.closeNow();
    for (const each of this.#open) each.end();
  }

  get ended(): boolean {
    return this.#sessions.closed;
  }
  /** All there are: idle, lent, and being made. */
  get totalCount(): number {
    return this.#sessions.statistics().size;
  }
  get idleCount(): number {
    return this.#sessions.statistics().idle;
  }
  /** Greenlets that wait for a connection. */
  get waitingCount(): number {
    return this.#sessions.statistics().waiting;
  }
}
