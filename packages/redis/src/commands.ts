/** Commands: what clients, pools and sessions have in common. */
import type { RedisArgument } from 'redis';
import { attach, type Commander } from './attach.js';
import { type Blocking, blockingOf, blocks } from './blocking.js';
import type { Call, Send } from './lane.js';
import { multiOf } from './multi.js';
import type { Args, CommandOptions, Raw } from './raw.js';
import { checkCommand, type Scope } from './rules.js';
import { scan } from './scan.js';

export abstract class Commands implements Commander {
  /** Those of every command; `given` are the ones that are not the client's own. */
  protected readonly commandOptions: CommandOptions;
  readonly #given: CommandOptions | undefined;
  #view: { of: Raw; raw: Raw } | undefined;

  constructor(defaults: CommandOptions, given?: CommandOptions) {
    this.commandOptions = { ...defaults, ...given };
    this.#given = given;
  }

  abstract readonly scope: Scope;
  abstract call(call: Call): unknown;
  abstract callBlocking(blocking: Blocking, call: Call): unknown;
  /** One of the clients whose commands these are, connected or not. */
  protected abstract readonly model: Raw;

  /** `raw` with the command options of this view. */
  protected view(raw: Raw): Raw {
    if (!this.#given) return raw;
    if (this.#view?.of !== raw) {
      const options = { ...this.#given, timeout: undefined };
      this.#view = { of: raw, raw: raw.withCommandOptions(options) };
    }
    return this.#view.raw;
  }

  /**
   * Sends any command: `sendCommand(['LPOS', 'key', 'element'])`.
   *
   * @throws ConnectionCommandError for those that change a connection which others use, too
   */
  sendCommand<T = unknown>(args: Args, options?: CommandOptions): T {
    checkCommand(args, this.scope);
    const send: Send = (raw) => raw.sendCommand(args, options);
    const blocking = blockingOf(String(args[0]));
    if (blocking && blocks(blocking, args))
      return this.callBlocking(blocking, { send, args: args.slice(1) }) as T;
    return this.call({ send, args }) as T;
  }

  multi(): object {
    const { model, scope } = this;
    return multiOf(model, scope, this.commandOptions.typeMapping, (send) =>
      this.call({ send, args: [] }),
    );
  }
  MULTI(): object {
    return this.multi();
  }

  scanIterator(options?: { cursor?: RedisArgument }) {
    return scan(this, 'scan', [], options, ({ keys }) => keys);
  }
  hScanIterator(key: RedisArgument, options?: { cursor?: RedisArgument }) {
    return scan(this, 'hScan', [key], options, ({ entries }) => entries);
  }
  hScanValuesIterator(key: RedisArgument, options?: { cursor?: RedisArgument }) {
    return scan(this, 'hScan', [key], options, ({ entries }) =>
      (entries as { value: unknown }[]).map(({ value }) => value),
    );
  }
  hScanNoValuesIterator(key: RedisArgument, options?: { cursor?: RedisArgument }) {
    return scan(this, 'hScanNoValues', [key], options, ({ fields }) => fields);
  }
  sScanIterator(key: RedisArgument, options?: { cursor?: RedisArgument }) {
    return scan(this, 'sScan', [key], options, ({ members }) => members);
  }
  zScanIterator(key: RedisArgument, options?: { cursor?: RedisArgument }) {
    return scan(this, 'zScan', [key], options, ({ members }) => members);
  }
}

type Class<T> = abstract new (...args: never) => T;
const classes = new WeakMap<object, Map<unknown, unknown>>();

/** `base` with the commands that `raw` has: one class for all clients with the same. */
export function withCommands<T extends Commander, C extends Class<T>>(base: C, raw: Raw): C {
  const key = Object.getPrototypeOf(Object.getPrototypeOf(raw));
  const known = classes.get(key) ?? new Map<unknown, unknown>();
  classes.set(key, known);
  const made = known.get(base) as C | undefined;
  if (made) return made;
  const fresh = class extends (base as unknown as new (...args: unknown[]) => Commander) {};
  attach(fresh, raw);
  known.set(base, fresh);
  return fresh as unknown as C;
}
