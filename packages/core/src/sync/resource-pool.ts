/** ResourcePool: connections and their like, each lent to one greenlet at a time. */
import { AcquireTimeoutError, InvalidArgumentError, PoolClosedError } from '../errors.js';
import { withTimeout } from '../greenlet/timeout.js';
import { hub } from '../hub/hub.js';
import { checkTimeout, type TimeoutOption } from '../hub/timed-wait.js';
import type { Timer } from '../loop/clock.js';
import { Event } from './event.js';
import { Semaphore } from './semaphore.js';

export interface ResourcePoolOptions<T> {
  /** Makes one, parking for as long as it takes. A kill of the greenlet must leave nothing behind. */
  create(): T;
  /** Lets go of one. Must neither park nor throw. */
  destroy(resource: T): void;
  /** Asked before one is lent, and when it comes back: false destroys it. Default: always usable. */
  isUsable?(resource: T): boolean;
  /** How many there may be at a time; default 10. */
  max?: number;
  /** Milliseconds to wait for one, its creation included; undefined is the default of 30,000. */
  acquireTimeout?: number;
  /** Milliseconds after which one that nobody uses is destroyed; default 10,000, Infinity for never. */
  idleTimeout?: number;
  /** How many greenlets may wait; those beyond fail at once. Default no limit. */
  maxWaiting?: number;
}

export interface ResourcePoolStatistics {
  /** All there are: idle, lent, and being made. */
  size: number;
  idle: number;
  lent: number;
  waiting: number;
}

interface Idle<T> {
  readonly resource: T;
  readonly since: number;
}

const defaultMax = 10;
const defaultAcquireTimeout = 30_000;
const defaultIdleTimeout = 10_000;

/**
 * Keeps resources that are dear to make. Who waits longest is served first; the one that was used last
 * is lent first, so that the others grow old and go.
 *
 * Nothing is lost to a kill or a timeout: whoever dies while waiting or creating gives its place to the
 * next.
 */
export class ResourcePool<T> {
  readonly max: number;
  readonly #options: ResourcePoolOptions<T>;
  readonly #acquireTimeout: number;
  readonly #idleTimeout: number;
  /** A permit for each that may be lent. */
  readonly #places: Semaphore;
  readonly #lent = new Set<T>();
  readonly #empty = new Event();
  #idle: Idle<T>[] = [];
  #creating = 0;
  #timer: Timer | undefined;
  #closed = false;

  /** @throws InvalidArgumentError */
  constructor(options: ResourcePoolOptions<T>) {
    const { max = defaultMax, acquireTimeout, idleTimeout } = options;
    if (!(Number.isInteger(max) && max >= 1))
      throw new InvalidArgumentError('max', 'a whole number from 1 on', max);
    checkTimeout(acquireTimeout, 'acquireTimeout');
    checkTimeout(idleTimeout, 'idleTimeout');
    this.max = max;
    this.#options = options;
    this.#acquireTimeout = acquireTimeout ?? defaultAcquireTimeout;
    this.#idleTimeout = idleTimeout ?? defaultIdleTimeout;
    this.#places = new Semaphore(max);
    this.#empty.set();
  }

  /**
   * Lends one, parking until there is one. Give it back with {@link release}, once.
   * @throws AcquireTimeoutError, PoolClosedError, and what `create` throws
   */
  acquire(options?: TimeoutOption): T {
    checkTimeout(options?.timeout);
    if (this.#closed) throw new PoolClosedError();
    const timeout = options?.timeout ?? this.#acquireTimeout;
    const started = this.#places.locked() ? this.#wait(timeout) : undefined;
    if (started === undefined) this.#places.acquire();
    const ready = this.#nextIdle();
    if (ready !== undefined) return ready;
    return this.#create(timeout, started ?? hub.clock.now());
  }

  /** Parks for a place. @returns when that began */
  #wait(timeout: number): number {
    const started = hub.clock.now();
    const { maxWaiting = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#places.statistics().waiting >= maxWaiting) throw this.#tooLate(0);
    if (!this.#places.acquire({ timeout })) throw this.#tooLate(timeout);
    if (!this.#closed) return started;
    this.#places.release();
    throw new PoolClosedError();
  }

  #tooLate(timeout: number): AcquireTimeoutError {
    return new AcquireTimeoutError(timeout, this.max, this.#places.statistics().waiting);
  }

  /** The youngest that is still usable, lent. */
  #nextIdle(): T | undefined {
    for (let next = this.#idle.pop(); next; next = this.#idle.pop()) {
      const { resource } = next;
      if (this.#isUsable(resource)) {
        this.#lend(resource);
        return resource;
      }
      this.#options.destroy(resource);
    }
    return undefined;
  }

  #isUsable(resource: T): boolean {
    return this.#options.isUsable?.(resource) ?? true;
  }

  #lend(resource: T): void {
    this.#lent.add(resource);
    this.#empty.clear();
  }

  #create(timeout: number, started: number): T {
    const left = Math.max(0, timeout - (hub.clock.now() - started));
    let resource: T | undefined;
    this.#creating++;
    try {
      resource = withTimeout(left, () => this.#options.create(), { value: undefined });
      if (resource === undefined) throw this.#tooLate(timeout);
    } catch (error) {
      this.#places.release();
      throw error;
    } finally {
      this.#creating--;
    }
    if (this.#closed) {
      this.#options.destroy(resource);
      this.#places.release();
      throw new PoolClosedError();
    }
    this.#lend(resource);
    return resource;
  }

  /**
   * Takes one back; works from everywhere. With `destroy` it is not lent again: its state is not known.
   * Harmless for one that is not lent.
   */
  release(resource: T, options?: { destroy?: boolean }): void {
    if (!this.#lent.delete(resource)) return;
    if (options?.destroy || this.#closed || !this.#isUsable(resource)) {
      this.#options.destroy(resource);
    } else {
      this.#idle.push({ resource, since: hub.clock.now() });
      if (this.#timer === undefined) this.#watch(this.#idleTimeout);
    }
    this.#places.release();
    if (this.#lent.size === 0) this.#empty.set();
  }

  /** Runs `fn` with one. It goes back however `fn` ends, unless the greenlet was killed in `fn`. */
  use<R>(fn: (resource: T) => R, options?: TimeoutOption): R {
    const resource = this.acquire(options);
    try {
      return fn(resource);
    } finally {
      this.release(resource);
    }
  }

  /** For one that has broken by itself: if it is idle it is destroyed now. */
  drop(resource: T): void {
    const at = this.#idle.findIndex((each) => each.resource === resource);
    if (at < 0) return;
    this.#idle.splice(at, 1);
    this.#options.destroy(resource);
  }

  #watch(ms: number): void {
    if (this.#idleTimeout === Number.POSITIVE_INFINITY) return;
    this.#timer = hub.clock.setTimer(Math.max(1, ms), () => this.#expire());
  }

  #expire(): void {
    this.#timer = undefined;
    const latest = hub.clock.now() - this.#idleTimeout;
    const old = this.#idle.filter(({ since }) => since <= latest);
    this.#idle = this.#idle.filter(({ since }) => since > latest);
    for (const { resource } of old) this.#options.destroy(resource);
    const [next] = this.#idle;
    if (next) this.#watch(next.since - latest);
  }

  /**
   * Lends no more, destroys what is idle, and parks until what is lent has come back, at most
   * `timeout` milliseconds (default none). What comes back later is destroyed then.
   * @returns false if something is still lent
   */
  close(options?: TimeoutOption): boolean {
    checkTimeout(options?.timeout);
    this.closeNow();
    return this.#empty.isSet() || this.#empty.wait(options);
  }

  /** `close` without waiting; works from everywhere. */
  closeNow(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    const idle = this.#idle;
    this.#idle = [];
    for (const { resource } of idle) this.#options.destroy(resource);
    // Those who wait find it closed.
    for (let n = this.#places.statistics().waiting; n > 0; n--) this.#places.release();
  }

  get closed(): boolean {
    return this.#closed;
  }

  statistics(): ResourcePoolStatistics {
    const lent = this.#lent.size;
    const idle = this.#idle.length;
    const { waiting } = this.#places.statistics();
    return { size: idle + lent + this.#creating, idle, lent, waiting };
  }
}
