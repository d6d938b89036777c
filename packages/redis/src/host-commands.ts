/** HostCommands: what clients and pools have in common beyond their commands. */
import type { EventEmitter } from 'node:events';
import type { RedisArgument } from 'redis';
import { Commands } from './commands.js';
import type { Settings } from './options.js';
import type { CommandOptions } from './raw.js';
import type { SessionBase } from './session.js';
import { type TransactionOptions, transact } from './transaction.js';

/** The state of one, shared by its views. */
export interface CommandHost {
  readonly settings: Settings;
  readonly events: EventEmitter;
}

export abstract class HostCommands<H extends CommandHost> extends Commands {
  readonly scope = 'shared';
  protected readonly host: H;
  readonly #given: CommandOptions | undefined;

  constructor(host: H, given?: CommandOptions) {
    super(host.settings.commandOptions, given);
    this.host = host;
    this.#given = given;
  }

  /** Runs `fn` with a connection that nobody else uses meanwhile. */
  abstract execute<R>(fn: (session: SessionBase) => R): R;

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

  /**
   * `error`: what happened in the background; of clients also `connect`, `ready`, `reconnecting`, `end`,
   * as node-redis has them. Nobody has to listen.
   */
  on(event: string, listener: (...args: never[]) => void): this {
    this.host.events.on(event, listener as () => void);
    return this;
  }
  once(event: string, listener: (...args: never[]) => void): this {
    this.host.events.once(event, listener as () => void);
    return this;
  }
  off(event: string, listener: (...args: never[]) => void): this {
    this.host.events.off(event, listener as () => void);
    return this;
  }

  /** The same with other options for its commands. */
  withCommandOptions(options: CommandOptions): this {
    const type = this.constructor as new (host: H, given?: CommandOptions) => this;
    return new type(this.host, { ...this.#given, ...options });
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
