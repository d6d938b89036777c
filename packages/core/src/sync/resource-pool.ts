/** ResourcePool: connections and their like, each lent to one greenlet at a time. */
import {
  AcquireTimeoutError,
  InvalidArgumentError,
  isExit,
  NotInGreenletError,
  PoolClosedError,
} from '../errors.js';
import { nobody, onBehalfOf } from '../greenlet/asker.js';
import type { Greenlet } from '../greenlet/greenlet.js';
import { spawn } from '../greenlet/spawn.js';
import { withTimeout } from '../greenlet/timeout.js';
import { hub } from '../hub/hub.js';
import { checkTimeout, expired, type TimeoutOption } from '../hub/timed-wait.js';
import type { Timer } from '../loop/clock.js';
import { Event } from './event.js';
import { WaitList } from './wait-list.js';

export interface ResourcePoolOptions<T> {
  /**
   * Makes one, parking for as long as it takes, in a greenlet of the pool's own. A kill of that one, by
   * `close` or after the longer of `acquireTimeout` and 30,000 milliseconds, must leave nothing behind.
   */
  create(): T;
  /** Lets go of one. Must neither park nor throw. */
  destroy(resource: T): void;
  /** Asked before one is lent, and when it comes back: false destroys it. Default: always usable. */
  isUsable?(resource: T): boolean;
  /** Asked first when one comes back: whether `reset` has something to do. Must not park. Default: never. */
  needsReset?(resource: T): boolean;
  /**
   * Makes one fit to be lent again, in a greenlet of the pool's own, and parks for as long as that takes: until
   * then it counts as lent. If this throws, or has not returned after `resetTimeout`, it is destroyed.
   */
  reset?(resource: T): void;
  /** Milliseconds; default 5,000. */
  resetTimeout?: number;
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
  /** With those that are being reset. */
  lent: number;
  /** Greenlets that wait for one, and none is being made for them. */
  waiting: number;
}

interface Idle<T> {
  readonly resource: T;
  readonly since: number;
}

/** What a pool keeps belongs to nobody: not to whoever asked for it first, and not to who had it last. */
function spawnForNobody(fn: () => void): Greenlet<void> {
  return onBehalfOf(nobody, () => spawn(fn));
}

type Served<T> = { readonly resource: T } | { readonly error: unknown };

const defaultMax = 10;
const defaultAcquireTimeout = 30_000;
const defaultIdleTimeout = 10_000;
const defaultResetTimeout = 5000;

/**
 * Keeps resources that are dear to make. Who waits longest is served first; the one that was used last
 * is lent first, so that the others grow old and go.
 *
 * Nothing is lost to a kill or a timeout: what an asker that dies would have got goes to the next, or
 * is idle. One that is being made is so, too: askers that have less time than that takes would else
 * never get any. An error of making goes to who waits longest then.
 */
export class ResourcePool<T> {
  readonly max: number;
  readonly #options: ResourcePoolOptions<T>;
  readonly #acquireTimeout: number;
  readonly #idleTimeout: number;
  /** Nobody waits here while one is idle. */
  readonly #askers = new WaitList<Served<T>>();
  readonly #makers = new Set<Greenlet<void>>();
  readonly #lent = new Set<T>();
  /** They have come back, and are not fit to be lent yet. */
  readonly #resetting = new Set<T>();
  /** Set while none is lent, being reset, or being made. */
  readonly #empty = new Event();
  #idle: Idle<T>[] = [];
  #timer: Timer | undefined;
  #closed = false;

  /** @throws InvalidArgumentError */
  constructor(options: ResourcePoolOptions<T>) {
    const { max = defaultMax, acquireTimeout, idleTimeout, resetTimeout } = options;
    if (!(Number.isInteger(max) && max >= 1))
      throw new InvalidArgumentError('max', 'a whole number from 1 on', max);
    checkTimeout(acquireTimeout, 'acquireTimeout');
    checkTimeout(idleTimeout, 'idleTimeout');
    checkTimeout(resetTimeout, 'resetTimeout');
    this.max = max;
    this.#options = options;
    this.#acquireTimeout = acquireTimeout ?? defaultAcquireTimeout;
    this.#idleTimeout = idleTimeout ?? defaultIdleTimeout;
    this.#empty.set();
  }

  /**
   * Lends one, parking until there is one. Give it back with {@link release}, once.
   * @throws AcquireTimeoutError, PoolClosedError, and what `create` throws
   */
  acquire(options?: TimeoutOption): T {
    checkTimeout(options?.timeout);
    if (this.#closed) throw new PoolClosedError();
    const ready = this.#nextIdle();
    if (ready !== undefined) return ready;
    if (!hub.current) throw new NotInGreenletError('ResourcePool.acquire()');
    if (this.#room > 0 && this.#makers.size <= this.#askers.length) this.#make();
    else this.#checkWaiting();
    const timeout = options?.timeout ?? this.#acquireTimeout;
    const served = this.#askers.wait('ResourcePool.acquire()', undefined, timeout, (lost) => {
      if ('resource' in lost) this.release(lost.resource);
    });
    if (served === expired) throw this.#tooLate(timeout);
    if ('error' in served) throw served.error;
    return served.resource;
  }

  #checkWaiting(): void {
    const { maxWaiting } = this.#options;
    if (maxWaiting !== undefined && this.#waiting >= maxWaiting) throw this.#tooLate(0);
  }

  /** Askers for whom none is being made. */
  get #waiting(): number {
    return Math.max(0, this.#askers.length - this.#makers.size);
  }

  /** How many more there may be. */
  get #room(): number {
    const lent = this.#lent.size + this.#resetting.size;
    return this.max - lent - this.#idle.length - this.#makers.size;
  }

  #tooLate(timeout: number): AcquireTimeoutError {
    return new AcquireTimeoutError(timeout, this.max, this.#waiting);
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

  #make(): void {
    this.#empty.clear();
    const maker = spawnForNobody(() => {
      const made = this.#tryToMake();
      this.#makers.delete(maker);
      this.#take(made);
    });
    this.#makers.add(maker);
    maker.link(() => {
      // Killed before it began.
      this.#makers.delete(maker);
      this.#checkEmpty();
    });
  }

  /** Undefined if it has taken too long, or was killed. */
  #tryToMake(): Served<T> | undefined {
    const limit = Math.max(this.#acquireTimeout, defaultAcquireTimeout);
    try {
      const resource = withTimeout(limit, () => this.#options.create(), { value: undefined });
      return resource === undefined ? undefined : { resource };
    } catch (error) {
      return isExit(error) ? undefined : { error };
    }
  }

  #take(made: Served<T> | undefined): void {
    if (made && 'resource' in made) {
      if (this.#closed) this.#options.destroy(made.resource);
      else this.#give(made.resource);
      return;
    }
    if (made) this.#askers.serve(made);
    this.#makeMore();
  }

  /** For those who wait, after one has gone. */
  #makeMore(): void {
    while (!this.#closed && this.#room > 0 && this.#waiting > 0) this.#make();
  }

  /** To who has waited longest, or it is idle. */
  #give(resource: T): void {
    if (this.#askers.first()) {
      this.#lend(resource);
      this.#askers.serve({ resource });
    } else {
      this.#idle.push({ resource, since: hub.clock.now() });
      if (this.#timer === undefined) this.#watch(this.#idleTimeout);
    }
  }

  #checkEmpty(): void {
    if (this.#lent.size + this.#resetting.size + this.#makers.size === 0) this.#empty.set();
  }

  /**
   * Takes one back; works from everywhere. It is reset first if it needs that. With `destroy` it is not lent
   * again: its state is not known. Harmless for one that is not lent.
   */
  release(resource: T, options?: { destroy?: boolean }): void {
    if (!this.#lent.delete(resource)) return;
    if (options?.destroy) this.#end(resource);
    else if (this.#options.needsReset?.(resource)) this.#reset(resource);
    else this.#takeBack(resource);
  }

  #takeBack(resource: T): void {
    if (this.#closed || !this.#isUsable(resource)) {
      this.#end(resource);
      return;
    }
    this.#give(resource);
    this.#checkEmpty();
  }

  #end(resource: T): void {
    this.#options.destroy(resource);
    this.#makeMore();
    this.#checkEmpty();
  }

  #reset(resource: T): void {
    this.#resetting.add(resource);
    let fit = false;
    const resetter = spawnForNobody(() => {
      try {
        withTimeout(this.#options.resetTimeout ?? defaultResetTimeout, () =>
          this.#options.reset?.(resource),
        );
        fit = true;
      } catch {
        // Why it cannot be used any more is of no use to whoever gets another one.
      }
    });
    // A link: it may have been killed before it began, or ended by force.
    resetter.link(() => {
      this.#resetting.delete(resource);
      if (fit) this.#takeBack(resource);
      else this.#end(resource);
    });
  }

  /** Those that are lent now, or are being reset: for who has to end them all. */
  lent(): T[] {
    return [...this.#lent, ...this.#resetting];
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

  /** For one that has broken by itself: if it is idle it is destroyed now. False if it was not. */
  drop(resource: T): boolean {
    const at = this.#idle.findIndex((each) => each.resource === resource);
    if (at < 0) return false;
    this.#idle.splice(at, 1);
    this.#options.destroy(resource);
    return true;
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
   * Lends no more, destroys what is idle, stops what is being made, and parks until what is lent has
   * come back, at most `timeout` milliseconds (default none). What comes back later is destroyed then.
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
    for (const maker of this.#makers) maker.kill({ block: false });
    this.#askers.failAll(() => new PoolClosedError());
  }

  get closed(): boolean {
    return this.#closed;
  }

  statistics(): ResourcePoolStatistics {
    const lent = this.#lent.size + this.#resetting.size;
    const idle = this.#idle.length;
    return { size: idle + lent + this.#makers.size, idle, lent, waiting: this.#waiting };
  }
}
