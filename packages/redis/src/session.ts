/** Session: commands over a connection that nobody else uses meanwhile. */
import { ClientClosedError, type RedisArgument } from 'redis';
import type { Blocking } from './blocking.js';
import { Commands, withCommands } from './commands.js';
import type { Call, Lane } from './lane.js';
import type { Lanes } from './lanes.js';
import type { CommandOptions, Raw } from './raw.js';

export class SessionBase extends Commands {
  readonly scope = 'own';
  #lane: Lane | undefined;
  protected readonly model: Raw;

  constructor(lane: Lane, defaults: CommandOptions, given?: CommandOptions) {
    super(defaults, given);
    this.#lane = lane;
    this.model = lane.raw;
  }

  #open(): Lane {
    if (!this.#lane) throw new ClientClosedError();
    this.#lane.check();
    return this.#lane;
  }

  call({ send }: Call): unknown {
    return this.#open().exchange((raw) => send(this.view(raw)));
  }

  callBlocking(blocking: Blocking, call: Call): unknown {
    return this.#open().exchangeBlocking(blocking, call, this.commandOptions);
  }

  /** `multi()` then fails with a WatchError if one of the keys was changed. */
  watch(keys: RedisArgument | RedisArgument[]): string {
    return this.call({ send: (raw) => raw.watch(keys), args: [] }) as string;
  }
  WATCH(keys: RedisArgument | RedisArgument[]): string {
    return this.watch(keys);
  }
  unwatch(): string {
    return this.call({ send: (raw) => raw.unwatch(), args: [] }) as string;
  }
  UNWATCH(): string {
    return this.unwatch();
  }

  /** For those who lend: it can be used no more. */
  end(): void {
    this.#lane = undefined;
  }
}

/** Runs `fn` with a session over one of the lanes. `model` has the commands. */
export function withSession<R>(
  lanes: Lanes,
  model: Raw,
  options: CommandOptions,
  fn: (session: SessionBase) => R,
): R {
  const lane = lanes.acquire();
  const type = withCommands<SessionBase, typeof SessionBase>(SessionBase, model);
  const session = new type(lane, {}, options);
  try {
    return fn(session);
  } finally {
    session.end();
    lanes.release(lane);
  }
}
