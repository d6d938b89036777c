/** Connection: what a client and its views have in common. */
import { EventEmitter } from 'node:events';
import { Event, park, Semaphore, withTimeout } from '@tendril/core';
import { ClientClosedError } from 'redis';
import { connect, shut } from './connect.js';
import type { LaneHost } from './lane.js';
import { Lanes } from './lanes.js';
import { OfflineQueue } from './offline-queue.js';
import type { Settings } from './options.js';
import { Pulse } from './pulse.js';
import type { Args, Raw } from './raw.js';
import { reasonOf, Stop } from './stop.js';
import { Subscriber } from './subscriber.js';

export type Make = (options: object) => Raw;

/** One shared connection for all commands but those that block, which have lanes. */
export class Connection implements LaneHost {
  readonly settings: Settings;
  raw: Raw;
  lanes: Lanes;
  subscriber: Subscriber;
  /** Those of whatever client is behind it. */
  readonly events = new EventEmitter();
  readonly #make: Make;
  readonly #connecting = new Semaphore(1);
  readonly #online = new Event();
  readonly #offline: OfflineQueue;
  #stop = new Stop();
  #used = false;

  constructor(settings: Settings, make: Make) {
    this.settings = settings;
    this.#make = make;
    this.#offline = new OfflineQueue(settings);
    this.raw = this.#open();
    this.lanes = this.#openLanes();
    this.subscriber = new Subscriber(this);
  }

  get connectTimeout(): number {
    return this.settings.connectTimeout;
  }
  get silenceLimit(): number {
    return this.settings.silenceLimit;
  }

  #open(): Raw {
    this.#stop = new Stop();
    const { driver } = this.settings;
    const raw = this.#make({ ...driver, socket: { ...driver.socket, signal: this.#stop.signal } });
    new Pulse(raw, this.silenceLimit);
    raw.on('error', (given) => {
      const error = reasonOf(given) as Error;
      this.#offline.lastError = error;
      if (!raw.isReady) this.#online.clear();
      this.lanes.suspect(error);
      this.onError(error);
    });
    raw.on('ready', () => this.#online.set());
    for (const name of ['connect', 'ready', 'reconnecting', 'end'])
      raw.on(name, () => this.events.emit(name));
    // Those who wait look for themselves.
    for (const end of ['end', 'terminated'])
      raw.on(end, () => {
        this.#online.set();
        this.#online.clear();
      });
    return raw;
  }

  #openLanes(): Lanes {
    const { driver, acquireTimeout, blockingConnections: max } = this.settings;
    return new Lanes(this, driver.database ?? 0, { max, acquireTimeout });
  }

  /** For {@link Lanes}. */
  open(signal: AbortSignal, database: number): Raw {
    const socket = { socketTimeout: undefined, reconnectStrategy: false };
    return this.duplicate(signal, socket, { database, pingInterval: undefined });
  }

  /** Another client of the same kind, not connected. */
  duplicate(signal: AbortSignal, socket?: object, overrides?: object): Raw {
    const { driver } = this.settings;
    return this.raw.duplicate({
      ...overrides,
      commandOptions: driver.commandOptions,
      clientSideCache: undefined,
      emitInvalidate: undefined,
      socket: { ...driver.socket, ...socket, signal },
    });
  }

  control(args: Args): Promise<unknown> {
    return this.raw.sendCommand(args);
  }

  onError(error: Error): void {
    // An 'error' that nobody listens to would end the process.
    if (this.events.listenerCount('error') > 0) this.events.emit('error', error);
  }

  /** @throws the last error, when the time is up */
  connect(timeout = this.settings.connectTimeout): void {
    this.#connecting.acquire();
    try {
      if (this.raw.isOpen) return;
      if (this.#used) this.#renew();
      this.#used = true;
      connect(this.raw, this.#stop, timeout);
    } catch (error) {
      shut(this.raw, this.#stop);
      throw error;
    } finally {
      this.#connecting.release();
    }
  }

  #renew(): void {
    this.raw = this.#open();
    this.lanes = this.#openLanes();
    this.subscriber = new Subscriber(this);
  }

  /** The client, when it is connected; parks while it reconnects. */
  ready(timeout = this.settings.commandOptions.timeout): Raw {
    if (this.raw.isReady) return this.raw;
    if (!this.raw.isOpen) throw new ClientClosedError();
    this.#offline.wait(performance.now(), timeout, (left) => {
      this.#online.wait({ timeout: left });
      if (!this.raw.isOpen) throw new ClientClosedError();
      return this.raw.isReady;
    });
    return this.raw;
  }

  /** Ends what blocks, waits for replies that are under way, and closes; all within `timeout`. */
  close(timeout: number): void {
    const deadline = performance.now() + timeout;
    this.subscriber.close();
    try {
      this.lanes.close({ timeout });
      if (!this.raw.isOpen) return;
      withTimeout(
        Math.max(0, deadline - performance.now()),
        () => park<void>((resume) => void this.raw.close().then(resume, resume.error)),
        { value: undefined },
      );
    } finally {
      this.destroy();
    }
  }

  destroy(): void {
    this.subscriber.close();
    this.lanes.destroy();
    shut(this.raw, this.#stop);
  }
}
