import { InvalidArgumentError } from '../errors.js';
import { Greenlet, type KillOptions } from '../greenlet/greenlet.js';
import { killall } from '../greenlet/join.js';
import { spawn } from '../greenlet/spawn.js';
import { checkTimeout, expired, type TimeoutOption } from '../hub/timed-wait.js';
import { type ImapOptions, MapRun } from './map-run.js';
import { type Waiting, WaitList } from './wait-list.js';

export interface GroupJoinOptions extends TimeoutOption {
  /** Throw the first failure of a member that ended while this waited. Default false. */
  raiseError?: boolean;
}

/** Greenlets that are waited for and killed together (gevent.pool.Group). Members leave as they end. */
export class Group implements Iterable<Greenlet> {
  readonly #members = new Set<Greenlet>();
  readonly #emptied = new WaitList();
  /** Of the members that have ended since the last join began to look. */
  #failed: Greenlet | undefined = undefined;
  #joiners = 0;
  readonly #memberEnded = (greenlet: Greenlet) => {
    if (this.#joiners > 0 && !greenlet.successful()) this.#failed ??= greenlet;
    this.discard(greenlet);
  };

  /** Takes a greenlet in, started or not. One that has ended is not taken. */
  add(greenlet: Greenlet): void {
    if (!(greenlet instanceof Greenlet))
      throw new InvalidArgumentError('greenlet', 'a Greenlet', greenlet);
    if (greenlet.dead || this.#members.has(greenlet)) return;
    this.#members.add(greenlet);
    greenlet.onEnd(this.#memberEnded);
  }

  /** Lets a greenlet go; it runs on. */
  discard(greenlet: Greenlet): void {
    if (!this.#members.delete(greenlet)) return;
    this.memberLeft();
    if (this.#members.size === 0) this.#emptied.serveAll(true);
  }

  /** Called once for every member that leaves, whatever the reason. */
  protected memberLeft(): void {}

  has(greenlet: Greenlet): boolean {
    return this.#members.has(greenlet);
  }

  get size(): number {
    return this.#members.size;
  }

  get length(): number {
    return this.#members.size;
  }

  [Symbol.iterator](): IterableIterator<Greenlet> {
    return this.#members.values();
  }

  /** Takes an unstarted greenlet in and starts it. */
  start(greenlet: Greenlet): void {
    this.add(greenlet);
    greenlet.start();
  }

  /** Spawns a member. In a Pool it parks while the pool is full. */
  spawn<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): Greenlet<Awaited<R>> {
    const greenlet = new Greenlet(fn as never, ...args);
    this.start(greenlet);
    return greenlet as Greenlet<Awaited<R>>;
  }

  /** Runs `fn(...args)` in a member and returns its value. */
  apply<A extends unknown[], R>(fn: (...args: A) => R, args?: A): Awaited<R> {
    return this.spawn(fn, ...((args ?? []) as unknown as A)).get();
  }

  /** Like `apply`, without waiting: the greenlet's outcome is that of `fn(...args)`. */
  applyAsync<A extends unknown[], R>(fn: (...args: A) => R, args?: A): Greenlet<Awaited<R>> {
    // Made here: it is this caller's, and not that of the greenlet that waits for room.
    const member = new Greenlet(fn as never, ...(args ?? [])) as Greenlet<Awaited<R>>;
    return spawn(() => {
      this.start(member);
      return member.get();
    }) as Greenlet<Awaited<R>>;
  }

  /**
   * `fn` of every item, each in a member of its own, in the AsyncLocalStorage context of this call; the
   * values in the order of the items. The first failure is thrown at once; items that have not started
   * then never do, and those that run go on. When the caller is killed, so are they.
   *
   * An iterable that is no array is read by a greenlet of its own, one item for every member that there
   * is room for, and closed when the call ends in any way.
   */
  map<T, R>(fn: (item: T) => R, items: Iterable<T>): Awaited<R>[] {
    return new MapRun<T, R>(this, fn, items).collect();
  }

  /** `map` in the background. */
  mapAsync<T, R>(fn: (item: T) => R, items: Iterable<T>): Greenlet<Awaited<R>[]> {
    const run = new MapRun<T, R>(this, fn, items);
    return spawn(() => run.collect()) as Greenlet<Awaited<R>[]>;
  }

  /**
   * `map` whose values are yielded in the order of the items, as soon as they are there: also while the
   * input parks, so it may be fed by them. Nothing starts before the first is asked for. Who leaves the
   * loop takes what runs along.
   */
  imap<T, R>(
    fn: (item: T) => R,
    items: Iterable<T>,
    options?: ImapOptions,
  ): Generator<Awaited<R>, void, undefined> {
    return new MapRun<T, R>(this, fn, items, options).ordered();
  }

  /** {@link imap} whose values are yielded in the order in which they come. */
  imapUnordered<T, R>(
    fn: (item: T) => R,
    items: Iterable<T>,
    options?: ImapOptions,
  ): Generator<Awaited<R>, void, undefined> {
    return new MapRun<T, R>(this, fn, items, options).unordered();
  }

  /** For MapRun: starts `greenlet` if there is room (true), or wakes `run` when there is (false). */
  startOrQueue(greenlet: Greenlet, _run: Waiting<true>): boolean {
    this.start(greenlet);
    return true;
  }

  /** For MapRun: starts `greenlet` in room that was kept for it. */
  startInSlot(greenlet: Greenlet): void {
    this.start(greenlet);
  }

  /** For MapRun: parks until a member could start. */
  waitForRoom(): void {}

  /** Parks until no member is left. False when `timeout` milliseconds have passed. */
  join(options?: GroupJoinOptions): boolean {
    checkTimeout(options?.timeout);
    this.#joiners++;
    try {
      if (this.#members.size > 0) {
        const outcome = this.#emptied.wait('Group.join()', undefined, options?.timeout, () => {});
        if (outcome === expired) return false;
      }
      const failed = this.#failed;
      if (options?.raiseError && failed) failed.get();
      return true;
    } finally {
      if (--this.#joiners === 0) this.#failed = undefined;
    }
  }

  /** Kills every member; with `block` (default) waits until none is left. */
  kill(options?: KillOptions): void {
    killall([...this.#members], options);
  }

  /** Kills one member. */
  killOne(greenlet: Greenlet, options?: KillOptions): void {
    if (this.#members.has(greenlet)) greenlet.kill(options);
  }
}
