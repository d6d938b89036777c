/** Client: one connection for all greenlets, and others for commands that block. */
import {
  InvalidArgumentError,
  park,
  type ResourcePoolStatistics,
  type TimeoutOption,
} from '@tendril/core';
import type { RedisArgument } from 'redis';
import type { Blocking } from './blocking.js';
import { Commands } from './commands.js';
import type { Connection } from './connection.js';
import { withCode } from './errors.js';
import type { Call } from './lane.js';
import type { CommandOptions, Raw } from './raw.js';
import { type SessionBase, withSession } from './session.js';
import type { SubscribeOptions } from './subscription.js';
import { type TransactionOptions, transact } from './transaction.js';

/** Milliseconds. */
const defaultCloseTimeout = 10_000;

export class ClientBase extends Commands {
  readonly #connection: Connection;
  readonly #given: CommandOptions | undefined;

  /** For {@link createClient}. */
  constructor(connection: Connection, given?: CommandOptions) {
    super(connection.settings.commandOptions, given);
    this.#connection = connection;
    this.#given = given;
  }

  protected get model(): Raw {
    return this.#connection.raw;
  }

  call({ send }: Call): unknown {
    const raw = this.view(this.#connection.ready(this.commandOptions.timeout));
    return park<unknown>((resume) => {
      // When the greenlet is killed the reply is dropped: node-redis keeps the order of the rest.
      send(raw).then(resume, (error) => resume.error(withCode(error)));
    });
  }

  callBlocking(blocking: Blocking, call: Call): unknown {
    return this.#connection.lanes.exchangeBlocking(blocking, call, this.commandOptions);
  }

  /**
   * Parks until it is connected, at most `timeout` milliseconds (default socket.connectTimeout, 5 s).
   * Does nothing when it is.
   * @throws the last error when the time is up, with Node's code if it has one; what the server refuses
   */
  connect(options?: TimeoutOption): this {
    this.#connection.connect(options?.timeout);
    return this;
  }

  /**
   * Ends commands that block, waits for the replies of others, at most `timeout` milliseconds (default
   * 10 s), and closes. What comes later fails with ClientClosedError.
   */
  close(options?: TimeoutOption): void {
    this.#connection.close(options?.timeout ?? defaultCloseTimeout);
  }

  /** Closes at once; what is under way fails. Works from everywhere. */
  destroy(): void {
    this.#connection.destroy();
  }

  get isOpen(): boolean {
    return this.model.isOpen;
  }
  get isReady(): boolean {
    return this.model.isReady;
  }

  /** `error`, `connect`, `ready`, `reconnecting`, `end`, as node-redis has them. Nobody has to listen. */
  on(event: string, listener: (...args: never[]) => void): this {
    this.#connection.events.on(event, listener as () => void);
    return this;
  }
  once(event: string, listener: (...args: never[]) => void): this {
    this.#connection.events.once(event, listener as () => void);
    return this;
  }
  off(event: string, listener: (...args: never[]) => void): this {
    this.#connection.events.off(event, listener as () => void);
    return this;
  }

  /** Another database, for all greenlets that use this client. */
  select(database: number): void {
    if (!(Number.isInteger(database) && database >= 0))
      throw new InvalidArgumentError('database', 'a whole number from 0 on', database);
    this.call({ send: (raw) => raw.select(database), args: [] });
    this.#connection.lanes.database = database;
  }
  SELECT(database: number): void {
    this.select(database);
  }

  /**
   * Runs `fn` with a connection of its own on which `keys` are watched. `fn` reads with it, and returns
   * a `multi()` that is executed; when one of the keys was changed meanwhile it all begins anew.
   * @returns what the multi returned; undefined if `fn` returned none
   * @throws WatchError when it was in vain every time, AcquireTimeoutError
   */
  transaction(
    keys: RedisArgument | RedisArgument[],
    fn: (session: SessionBase) => unknown,
    options?: TransactionOptions,
  ): unknown[] | undefined {
    return this.execute((session) => transact(session, keys, fn, options));
  }

  /** Runs `fn` with a connection that nobody else uses meanwhile. */
  execute<R>(fn: (session: SessionBase) => R): R {
    return withSession(this.#connection.lanes, this.model, this.commandOptions, fn);
  }

  // With commands that wait for a message there is no reply to park for: hence iterators.

  /** Iterates `{ message, channel }`; see Subscription. Parks until the server has confirmed it. */
  subscribe(channels: string | readonly string[], options?: SubscribeOptions) {
    return this.#connection.subscriber.subscribe('subscribe', channels, options);
  }
  pSubscribe(patterns: string | readonly string[], options?: SubscribeOptions) {
    return this.#connection.subscriber.subscribe('pSubscribe', patterns, options);
  }
  sSubscribe(channels: string | readonly string[], options?: SubscribeOptions) {
    return this.#connection.subscriber.subscribe('sSubscribe', channels, options);
  }

  /** The same client with other options for its commands. */
  withCommandOptions(options: CommandOptions): this {
    const type = this.constructor as new (connection: Connection, given?: CommandOptions) => this;
    return new type(this.#connection, { ...this.#given, ...options });
  }
  withTypeMapping(typeMapping: NonNullable<CommandOptions['typeMapping']>): this {
    return this.withCommandOptions({ typeMapping });
  }
  withAbortSignal(abortSignal: AbortSignal): this {
    return this.withCommandOptions({ abortSignal });
  }
  asap(): this {
    return this.withCommandOptions({ asap: true });
  }

  /** Of the connections for commands that block. */
  statistics(): ResourcePoolStatistics {
    return this.#connection.lanes.statistics();
  }
}
