/** Pool: connections, each lent to one greenlet at a time. */
import {
  AcquireTimeoutError,
  InvalidArgumentError,
  PoolClosedError,
  ResourcePool,
  type TimeoutOption,
  UnsupportedError,
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
import { ClientClosedError, ConnectTimeoutError } from './errors.js';
import { type Listener, listen } from './listener.js';
import { acquireTimeout, limit, optionsOf, type PoolOptions } from './options.js';
import { PoolClient } from './pool-client.js';
import type { Any, Queries } from './queries.js';
import { type QueryInput, runQuery } from './query.js';
import { Session } from './session.js';
import { tidy } from './tidy.js';
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
  /** The pool's no more, but not closed yet. */
  readonly #leaving = new Set<Session>();
  readonly #listeners = new Set<Listener>();
  /** Milliseconds that one waits for a connection. */
  readonly #patience: number | undefined;
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
    const { max, maxWaiting } = given;
    const patience = acquireTimeout(given);
    this.#patience = patience;
    const idleTimeout =
      limit('idleTimeoutMillis', given.idleTimeoutMillis, defaultIdleTimeout) ?? unlimited;
    this.#sessions = new ResourcePool<Session>({
      create: () => this.#create(),
      destroy: (session) => this.#letGo(session),
      isUsable: (session) => this.#isUsable(session),
      needsReset: (session) => session.disorderly && session.usable,
      reset: (session) => tidy(session, () => this.#prepare(session)),
      idleTimeout,
      ...(max !== undefined && { max }),
      ...(patience !== undefined && { acquireTimeout: patience }),
      ...(maxWaiting !== undefined && { maxWaiting }),
    });
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
      return runQuery(session, config, values);
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
    session.onLost = (cause) => this.#lost(session, cause);
    try {
      session.connect();
      this.#prepare(session);
    } catch (error) {
      this.#letGo(session);
      throw error;
    }
    return session;
  }

  /** What every new one gets, and one that was reset. */
  #prepare(session: Session): void {
    using client = new PoolClient(session, () => {});
    this.options.onConnect?.(client);
  }

  #lost(session: Session, cause: Error): void {
    if (this.#sessions.drop(session) && !(cause instanceof ClientClosedError))
      this.options.onError?.(cause);
  }

  #letGo(session: Session): void {
    session.end();
    if (session.gone.isSet() || this.#leaving.has(session)) return;
    this.#leaving.add(session);
    session.gone.link(() => this.#leaving.delete(session));
  }

  #isUsable(session: Session): boolean {
    return (
      session.usable &&
      session.uses < this.#maxUses &&
      performance.now() - session.born < this.#maxLifetime
    );
  }

  #lend(): Session {
    const session = this.#acquire();
    session.uses++;
    return session;
  }

  #acquire(): Session {
    try {
      return this.#sessions.acquire();
    } catch (error) {
      // For pg waiting and connecting have one limit: what it has waited for says which it was.
      const { connectionTimeoutMillis: ms } = this.options;
      const { size, idle, lent } = this.#sessions.statistics();
      if (
        error instanceof AcquireTimeoutError &&
        ms !== undefined &&
        ms === this.#patience &&
        size > idle + lent
      )
        throw new ConnectTimeoutError(ms);
      throw error;
    }
  }

  /** It is lent again when it is clean, which may be later. */
  #giveBack(session: Session, destroy = false): void {
    // Of no use to who comes next, as the answer would be to those who still wait for one.
    this.#sessions.release(session, { destroy: destroy || session.wanted });
    session.turns.reset();
  }

  /**
   * Lends no more and parks until all that is lent has come back, at most `timeout` milliseconds (default
   * 30,000); what still runs then is stopped on the server. Closes all connections and listeners.
   */
  end({ timeout = defaultEndTimeout }: TimeoutOption = {}): void {
    for (const each of this.#listeners) each.close();
    this.#sessions.close({ timeout });
    for (const each of this.#sessions.lent()) this.#letGo(each);
    const latest = performance.now() + goneLimit;
    for (const each of this.#leaving)
      each.gone.wait({ timeout: Math.max(0, latest - performance.now()) });
  }

  /** Ends it without waiting, and stops what runs. */
  [Symbol.dispose](): void {
    for (const each of this.#listeners) each.close();
    this.#sessions.closeNow();
    for (const each of this.#sessions.lent()) this.#letGo(each);
  }

  /** @throws UnsupportedError that says what there is in its place: pools have no events */
  on(event: string): never {
    const instead: Record<string, string> = {
      error: 'the option onError',
      connect: 'the option onConnect',
      notice: 'the option onNotice',
    };
    throw new UnsupportedError(`pool.on('${event}')`, instead[event] ?? 'the options of the pool');
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
