/** PoolHost: what a pool and its views have in common. */
import { EventEmitter } from 'node:events';
import { InvalidArgumentError, withoutContext } from '@tendril/core';
import { ClientClosedError } from 'redis';
import { shut } from './connect.js';
import type { LaneHost } from './lane.js';
import { Lanes } from './lanes.js';
import type { Settings } from './options.js';
import { Pulse } from './pulse.js';
import type { Args, Raw } from './raw.js';
import { Stop } from './stop.js';

/** node-redis's. */
export interface PoolOptions {
  /** Connections that connect() opens; default 1. Idle ones go all the same. */
  minimum?: number;
  /** Connections at most; default 100. */
  maximum?: number;
  /** Milliseconds to wait for a connection; default 30,000. */
  acquireTimeout?: number;
  /** Milliseconds after which an idle connection is closed; default 3,000. */
  cleanupDelay?: number;
}

const ignore = () => {};
const defaults = { minimum: 1, maximum: 100, cleanupDelay: 3000 };

export class PoolHost implements LaneHost {
  readonly settings: Settings;
  /** Never connected: the others are its duplicates. */
  readonly model: Raw;
  readonly events = new EventEmitter();
  lanes: Lanes | undefined;
  readonly #options: PoolOptions & typeof defaults;
  #controller: Raw | undefined;
  #stop = new Stop();
  #over = false;

  constructor(settings: Settings, model: Raw, options: PoolOptions = {}) {
    this.settings = settings;
    this.model = model;
    this.#options = { ...defaults, ...options };
    const { minimum, maximum } = this.#options;
    if (!(Number.isInteger(minimum) && minimum >= 0 && minimum <= maximum))
      throw new InvalidArgumentError('minimum', 'a whole number up to `maximum`', minimum);
    this.#open(); // finds bad options now
    this.lanes = undefined;
  }

  get connectTimeout(): number {
    return this.settings.connectTimeout;
  }
  get silenceLimit(): number {
    return this.settings.silenceLimit;
  }

  #open(): Lanes {
    const { maximum: max, acquireTimeout, cleanupDelay: idleTimeout } = this.#options;
    const database = this.settings.driver.database ?? 0;
    this.#over = false;
    this.lanes = new Lanes(this, database, { max, acquireTimeout, idleTimeout });
    return this.lanes;
  }

  connect(): void {
    if (this.lanes) return;
    const lanes = this.#open();
    const opened = [];
    try {
      while (opened.length < this.#options.minimum) opened.push(lanes.acquire());
    } catch (error) {
      this.destroy();
      throw error;
    } finally {
      for (const lane of opened) lanes.release(lane);
    }
  }

  /** For {@link Lanes}. */
  open(signal: AbortSignal, database: number): Raw {
    const socket = { socketTimeout: undefined, reconnectStrategy: false, signal };
    return this.#duplicate(socket, { database, pingInterval: undefined });
  }

  #duplicate(socket: object, overrides?: object): Raw {
    const { driver } = this.settings;
    const { commandOptions } = driver;
    return this.model.duplicate({
      ...overrides,
      commandOptions,
      clientSideCache: undefined,
      socket: { ...driver.socket, ...socket },
    });
  }

  /** Over a connection of its own, made when the first command that blocks has to be ended. */
  control(args: Args): Promise<unknown> {
    this.beside();
    return this.#controller?.sendCommand(args) ?? Promise.reject(new ClientClosedError());
  }

  /** Makes that connection. */
  beside(): void {
    if (this.#over || this.#controller) return;
    this.#stop = new Stop();
    const raw = this.#duplicate({ signal: this.#stop.signal });
    this.#controller = raw;
    new Pulse(raw, this.silenceLimit);
    raw.on('error', (error) => this.lanes?.suspect(error));
    withoutContext(() => raw.connect()).catch(ignore);
  }

  onError(error: Error): void {
    // An 'error' that nobody listens to would end the process.
    if (this.events.listenerCount('error') > 0) this.events.emit('error', error);
  }

  close(timeout: number): void {
    const { lanes } = this;
    this.lanes = undefined;
    try {
      lanes?.close({ timeout });
    } finally {
      lanes?.destroy();
      this.#endControl();
    }
  }

  destroy(): void {
    this.lanes?.destroy();
    this.lanes = undefined;
    this.#endControl();
  }

  #endControl(): void {
    this.#over = true;
    if (this.#controller) shut(this.#controller, this.#stop);
    this.#controller = undefined;
  }
}
