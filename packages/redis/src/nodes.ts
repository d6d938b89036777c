/** Nodes: the servers of a deployment that have been used, and their connections for blocking commands. */
import { Event } from '@tendril/core';
import { ClientClosedError, type RedisArgument } from 'redis';
import type { LaneHost } from './lane.js';
import { Lanes } from './lanes.js';
import type { Settings } from './options.js';
import { Pulse } from './pulse.js';
import type { CommandOptions, Raw } from './raw.js';

type Options = CommandOptions & { socket?: object };

export class Nodes {
  /** Is set for a moment when one comes or goes. */
  readonly changed = new Event();
  readonly #settings: Settings;
  readonly #keyPrefix: RedisArgument | undefined;
  readonly #onError: (error: Error) => void;
  readonly #lanes = new Map<Raw, Lanes>();
  readonly #watched = new WeakSet<Raw>();

  constructor(
    settings: Settings,
    keyPrefix: RedisArgument | undefined,
    onError: (error: Error) => void,
  ) {
    this.#settings = settings;
    this.#keyPrefix = keyPrefix;
    this.#onError = onError;
  }

  notify(): void {
    this.changed.set();
    this.changed.clear();
  }

  /** Notices when `node`, a client of node-redis's, goes silent, connects again or is dropped. */
  watch(node: Raw): void {
    if (this.#watched.has(node)) return;
    this.#watched.add(node);
    new Pulse(node, this.#settings.silenceLimit);
    node.on('error', (error) => this.#lanes.get(node)?.suspect(error));
    node.on('ready', () => this.notify());
    for (const end of ['end', 'terminated'])
      node.on(end, () => {
        this.#lanes.get(node)?.destroy();
        this.#lanes.delete(node);
        this.notify();
      });
  }

  /**
   * Connections to the server of `node`, which go when node-redis drops `node`.
   *
   * @throws ClientClosedError if it has
   */
  lanesOf(node: Raw): Lanes {
    const known = this.#lanes.get(node);
    if (known) return known;
    if (!node.isOpen) throw new ClientClosedError();
    this.watch(node);
    const { acquireTimeout, blockingConnections: max } = this.#settings;
    const lanes = new Lanes(this.#hostOf(node), 0, { max, acquireTimeout });
    this.#lanes.set(node, lanes);
    return lanes;
  }

  #hostOf(node: Raw): LaneHost {
    const { socket } = (node as unknown as { options: Options }).options;
    const own = { socketTimeout: undefined, reconnectStrategy: false };
    return {
      open: (signal) =>
        node.duplicate({
          keyPrefix: this.#keyPrefix,
          commandOptions: this.#settings.driver.commandOptions,
          pingInterval: undefined,
          clientSideCache: undefined,
          emitInvalidate: undefined,
          socket: { ...socket, ...own, signal },
        }),
      control: (args) => node.sendCommand(args),
      connectTimeout: this.#settings.connectTimeout,
      silenceLimit: this.#settings.silenceLimit,
      onError: this.#onError,
    };
  }

  all(): Lanes[] {
    return [...this.#lanes.values()];
  }
}
