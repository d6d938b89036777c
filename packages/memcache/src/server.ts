/** Server: one memcached, its connection, and whether it is alive. */
import {
  AcquireTimeoutError,
  Event,
  park,
  Semaphore,
  withoutContext,
  withTimeout,
} from '@tendril/core';
import { type Address, readLogin } from './address.js';
import { Connection, type Owner } from './connection.js';
import { AuthenticationError, ClientClosedError, ServerDeadError } from './errors.js';
import { type Answer, Exchange, Failure, type Request } from './exchange.js';
import { type Options, readOptions, type Settings } from './options.js';

/** Why a server is dead, and until when nobody tries it; `performance.now()`. */
interface Death {
  readonly cause: Error;
  readonly until: number;
}

export class Server {
  readonly host: string;
  readonly port: number;
  /** `host:port`. */
  readonly name: string;
  readonly settings: Settings;
  readonly #address: Address;
  /** A place for every command on its way, and for every one that nobody waits for any more. */
  readonly #places: Semaphore;
  #connection: Connection | undefined;
  /** No longer used, but answers may still come. */
  readonly #retired = new Set<Connection>();
  #death: Death | undefined;
  #failures = 0;
  #failedAt = Number.NEGATIVE_INFINITY;
  #pending = 0;
  /** Set when nothing is on its way; there is one once somebody waits for that. */
  #idle: Event | undefined;
  #closed = false;

  /** As memjs's. Connects when the first command comes. @throws InvalidArgumentError */
  constructor(
    host: string,
    port = 11211,
    username?: string,
    password?: string,
    options: Options<never, unknown> = {},
  ) {
    const login = readLogin();
    this.host = host;
    this.port = port;
    this.#address = {
      host,
      port,
      username: username || options.username || login.username,
      password: password || options.password || login.password,
    };
    this.settings = readOptions(options);
    this.name = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    this.#places = new Semaphore(this.settings.maxPending);
  }

  toString(): string {
    return `<Server ${this.name}>`;
  }

  /** The connection stands, and its server has answered. */
  get connected(): boolean {
    return this.#connection?.open ?? false;
  }
  /** Could not be reached lately. */
  get dead(): boolean {
    return this.#death !== undefined;
  }
  /** Commands on their way. */
  get pending(): number {
    return this.#pending;
  }
  /** Greenlets that wait until they may send. */
  get waiting(): number {
    return this.#places.statistics().waiting;
  }

  /** Alive as far as is known, or dead for so long that one command may try. */
  isUsable(): boolean {
    if (!this.#death) return true;
    return !this.#connection && performance.now() >= this.#death.until;
  }

  /**
   * Dead, but asked because there is none in its place: one command may try every `retry_delay`, so that
   * it is found again as soon as it is back.
   * @throws ServerDeadError between those
   */
  checkLastResort(): void {
    const { cause } = this.#death ?? {};
    const next = this.#failedAt + this.settings.retryDelay;
    if (cause && (this.#connection || performance.now() < next))
      throw new ServerDeadError(this.name, cause);
  }

  /**
   * Sends a command and parks until its answer is here.
   * @throws AcquireTimeoutError, ConnectionError, ReplyTimeoutError, AuthenticationError,
   *   ClientClosedError
   */
  perform(request: Request): Answer {
    const { acquireTimeout, maxPending } = this.settings;
    if (this.#closed) throw new ClientClosedError();
    if (!this.#places.acquire({ timeout: acquireTimeout }))
      throw new AcquireTimeoutError(acquireTimeout, maxPending, this.waiting);
    let started = false;
    let result: Answer | Failure;
    try {
      if (this.#closed) throw new ClientClosedError();
      result = park<Answer | Failure>((resume) => {
        const exchange = new Exchange(request, resume, this.#release);
        this.#pending++;
        started = true;
        this.#connect().send(exchange);
        return () => exchange.abandon();
      });
    } catch (error) {
      if (!started) this.#places.release();
      throw error;
    }
    if (result instanceof Failure) throw result.make();
    return result;
  }

  readonly #release = () => {
    this.#places.release();
    if (--this.#pending === 0) this.#idle?.set();
  };

  #connect(): Connection {
    // Everybody's, and longer than whoever asks first.
    this.#connection ??= withoutContext(() => new Connection(this.#owner()));
    return this.#connection;
  }

  #owner(): Owner {
    return {
      name: this.name,
      address: this.#address,
      settings: this.settings,
      opened: () => this.#opened(),
      retired: (connection) => {
        this.#drop(connection);
        this.#retired.add(connection);
      },
      gone: (connection, error) => {
        this.#drop(connection);
        this.#retired.delete(connection);
        if (error) this.#failed(error);
      },
    };
  }

  #drop(connection: Connection): void {
    if (this.#connection === connection) this.#connection = undefined;
  }

  #opened(): void {
    this.#failures = 0;
    if (this.#death) this.settings.log(`memcache: ${this.name} is back`);
    this.#death = undefined;
  }

  /** Refusals count: a server that starts again is away for a moment. Silence has lasted long enough. */
  #failed(cause: Error & { code?: string }): void {
    if (cause instanceof AuthenticationError) return;
    const { retries, failoverTime, log } = this.settings;
    this.#failedAt = performance.now();
    this.#failures++;
    const silent = cause.code === 'ERR_MEMCACHE_CONNECT_TIMEOUT';
    if (!this.#death && !silent && this.#failures <= retries) return;
    if (!this.#death) log(`memcache: ${this.name} is dead: ${cause.message}`);
    this.#death = { cause, until: this.#failedAt + failoverTime };
  }

  /** Takes no more commands, parks until those on their way are done, and says goodbye. */
  quit(): void {
    this.#refuse();
    try {
      this.#idle ??= new Event();
      if (this.#pending > 0) this.#idle.wait(); // each of them ends by its time limit
      const connection = this.#connection;
      const goodbye = () => park<void>((resume) => connection?.quit(resume));
      if (connection) withTimeout(this.settings.timeout, goodbye, { value: undefined });
    } finally {
      this.close();
    }
  }

  #refuse(): void {
    this.#closed = true;
    // Those who wait find it closed.
    for (let n = this.waiting; n > 0; n--) this.#places.release();
  }

  /** Breaks off whatever is on its way. Works from everywhere. */
  close(): void {
    this.#refuse();
    const closed = () => new ClientClosedError();
    for (const each of [this.#connection, ...this.#retired]) each?.destroy(closed);
  }
}
