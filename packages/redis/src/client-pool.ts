/** ClientPool: a connection for every command, as long as it takes. */
import type { TimeoutOption } from '@tendril/core';
import { ClientClosedError, type RedisArgument } from 'redis';
import type { Blocking } from './blocking.js';
import { Commands } from './commands.js';
import type { Call } from './lane.js';
import type { Lanes } from './lanes.js';
import type { PoolHost } from './pool-host.js';
import type { CommandOptions, Raw } from './raw.js';
import { type SessionBase, withSession } from './session.js';
import { type TransactionOptions, transact } from './transaction.js';

/** Milliseconds. */
const defaultCloseTimeout = 10_000;

export class ClientPoolBase extends Commands {
  readonly #host: PoolHost;
  readonly #given: CommandOptions | undefined;

  /** For {@link createClientPool}. */
  constructor(host: PoolHost, given?: CommandOptions) {
    super(host.settings.commandOptions, given);
    this.#host = host;
    this.#given = given;
  }

  protected get model(): Raw {
    return this.#host.model;
  }

  #lanes(): Lanes {
    if (!this.#host.lanes) throw new ClientClosedError();
    return this.#host.lanes;
  }

  call({ send }: Call): unknown {
    return this.#lanes().exchange((raw) => send(this.view(raw)));
  }

  callBlocking(blocking: Blocking, call: Call): unknown {
    return this.#lanes().exchangeBlocking(blocking, call, this.commandOptions);
  }

  /** Opens `minimum` connections. @throws errors of connecting */
  connect(): this {
    this.#host.connect();
    return this;
  }

  /** Ends commands that block, and waits for others, at most `timeout` milliseconds (default 10 s). */
  close(options?: TimeoutOption): void {
    this.#host.close(options?.timeout ?? defaultCloseTimeout);
  }

  /** Closes at once; what is under way fails. Works from everywhere. */
  destroy(): void {
    this.#host.destroy();
  }

  /** Runs `fn` with a connection that nobody else uses meanwhile. */
  execute<R>(fn: (session: SessionBase) => R): R {
    return withSession(this.#lanes(), this.model, this.commandOptions, fn);
  }

  /** As a client's: see there. */
  transaction(
    keys: RedisArgument | RedisArgument[],
    fn: (session: SessionBase) => unknown,
    options?: TransactionOptions,
  ): unknown[] | undefined {
    return this.execute((session) => transact(session, keys, fn, options));
  }

  get isOpen(): boolean {
    return this.#host.lanes !== undefined;
  }
  get idleClients(): number {
    return this.#host.lanes?.statistics().idle ?? 0;
  }
  get clientsInUse(): number {
    return this.totalClients - this.idleClients;
  }
  get totalClients(): number {
    return this.#host.lanes?.statistics().size ?? 0;
  }
  /** Greenlets that wait for a connection. */
  get tasksQueueLength(): number {
    return this.#host.lanes?.statistics().waiting ?? 0;
  }

  /** `error`: what happened in the background. Nobody has to listen. */
  on(event: string, listener: (...args: never[]) => void): this {
    this.#host.events.on(event, listener as () => void);
    return this;
  }
  once(event: string, listener: (...args: never[]) => void): this {
    this.#host.events.once(event, listener as () => void);
    return this;
  }
  off(event: string, listener: (...args: never[]) => void): this {
    this.#host.events.off(event, listener as () => void);
    return this;
  }

  /** The same pool with other options for its commands. */
  withCommandOptions(options: CommandOptions): this {
    const type = this.constructor as new (host: PoolHost, given?: CommandOptions) => this;
    return new type(this.#host, { ...this.#given, ...options });
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
}
