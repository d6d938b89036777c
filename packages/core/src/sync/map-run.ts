/**
 * One run of map, imap or imapUnordered over a group.
 *
 * An array is fed as slots come free, by whoever frees them: there is no greenlet that would have to be
 * switched to for every item. Any other input may park, and is read by a greenlet of its own, so that
 * results come out meanwhile. Items are made on behalf of who asked for the run, whoever makes them.
 */
import { InvalidArgumentError, isExit } from '../errors.js';
import { type Asker, asker, onBehalfOf } from '../greenlet/asker.js';
import { Greenlet } from '../greenlet/greenlet.js';
import { killall } from '../greenlet/join.js';
import { canPark } from '../hub/park.js';
import { Waiter } from '../hub/waiter.js';
import type { Waiting } from './wait-list.js';

export interface ImapOptions {
  /** The most items started and not yet taken by the iteration; default 1,024. */
  maxSize?: number;
}

/** What a run needs of its group. */
interface Members {
  /** Starts `greenlet` now (true), or wakes `run` once there is room (false). */
  startOrQueue(greenlet: Greenlet, run: Waiting<true>): boolean;
  /** Starts `greenlet` in the room that `run` was woken for. */
  startInSlot(greenlet: Greenlet): void;
  /** Parks until there is room, without taking it. */
  waitForRoom(): void;
  /** Starts `greenlet`, parking until there is room. */
  start(greenlet: Greenlet): void;
}

interface Ended<R> {
  readonly index: number;
  readonly greenlet: Greenlet<Awaited<R>>;
}

export class MapRun<T, R> implements Waiting<true> {
  /** Not in line for room in the group. */
  settled = true;
  readonly #members: Members;
  readonly #fn: (item: T) => R;
  readonly #items: Iterable<T>;
  readonly #maxSize: number;
  readonly #asker: Asker = asker();
  /** Of an array. */
  #iterator: Iterator<T> | undefined;
  /** The item to start next, read already. */
  #next: Greenlet | undefined;
  /** What reads any other input, and what it waits in while too much is untaken. */
  #feeder: Greenlet | undefined;
  #feederWaiter: Waiter<void> | undefined;
  #started = 0;
  #taken = 0;
  #exhausted = false;
  #closed = false;
  #inputError: { error: unknown } | undefined;
  readonly #running = new Map<Greenlet, number>();
  #ended: Ended<R>[] = [];
  #waiter: Waiter<void> | undefined;
  readonly #onEnd = (greenlet: Greenlet) => {
    const index = this.#running.get(greenlet) as number;
    this.#running.delete(greenlet);
    if (this.#closed) return;
    // Seen, or about to be: no report of an uncollected error.
    if (!greenlet.successful()) void greenlet.exception;
    this.#ended.push({ index, greenlet: greenlet as Greenlet<Awaited<R>> });
    this.#waiter?.wake();
  };

  constructor(members: Members, fn: (item: T) => R, items: Iterable<T>, options?: ImapOptions) {
    if (typeof fn !== 'function') throw new InvalidArgumentError('fn', 'a function', fn);
    if (typeof items?.[Symbol.iterator] !== 'function')
      throw new InvalidArgumentError('items', 'iterable', items);
    const maxSize = options?.maxSize ?? 1024;
    if (!(maxSize >= 1)) throw new InvalidArgumentError('maxSize', 'at least 1', maxSize);
    this.#members = members;
    this.#fn = fn;
    this.#items = items;
    this.#maxSize = maxSize;
  }

  // ----------------------------------------------------------------- results

  /** All values, in the order of the items. */
  collect(): Awaited<R>[] {
    const values: Awaited<R>[] = [];
    for (const { index, greenlet } of this.#results('map()')) {
      this.#take();
      values[index] = greenlet.get();
    }
    return values;
  }

  *unordered(): Generator<Awaited<R>, void, undefined> {
    for (const { greenlet } of this.#results('imapUnordered()')) {
      this.#take();
      yield greenlet.get();
    }
  }

  /** A value that comes before its turn waits here, untaken. */
  *ordered(): Generator<Awaited<R>, void, undefined> {
    const early = new Map<number, Awaited<R>>();
    let next = 0;
    for (const { index, greenlet } of this.#results('imap()')) {
      early.set(index, greenlet.get());
      for (; early.has(next); next++) {
        const value = early.get(next) as Awaited<R>;
        early.delete(next);
        this.#take();
        yield value;
      }
    }
  }

  *#results(what: string): Generator<Ended<R>, void, undefined> {
    let failed = false;
    let thrown = false;
    try {
      this.#begin();
      for (;;) {
        if (this.#iterator) this.#feed();
        if (this.#ended.length === 0) {
          if (this.#inputError) throw this.#inputError.error;
          if (this.#exhausted && this.#running.size === 0 && !this.#next) return;
          this.#waiter = new Waiter(what);
          this.#waiter.wait(undefined, () => {});
          this.#waiter = undefined;
        }
        const ended = this.#ended;
        this.#ended = [];
        for (const each of ended) {
          if (!each.greenlet.successful()) {
            failed = true;
            each.greenlet.get();
          }
          yield each;
        }
      }
    } catch (error) {
      thrown = true;
      throw error;
    } finally {
      this.#close(failed, thrown);
    }
  }

  #take(): void {
    this.#taken++;
    this.#feederWaiter?.wake();
  }

  // However the iteration ends, nothing more starts. After a failure of an item the others go on; a
  // caller that was killed, or that left the loop, takes what runs with it.
  #close(failed: boolean, thrown: boolean): void {
    this.#closed = true;
    this.#next = undefined;
    if (!failed) killall([...this.#running.keys()], { block: false });
    const feeder = this.#feeder;
    if (feeder && !feeder.dead) {
      // Its end closes the input, which is done when the caller goes on.
      feeder.kill({ block: canPark() });
      if (!thrown && feeder.dead) feeder.get();
    } else if (!this.#exhausted) this.#iterator?.return?.();
  }

  // ----------------------------------------------------------------- items

  #begin(): void {
    if (isPlainArray(this.#items)) {
      this.#iterator = this.#items[Symbol.iterator]();
      return;
    }
    const feeder = onBehalfOf(this.#asker, () => new Greenlet(() => this.#read()));
    feeder.name = 'imap input';
    feeder.onEnd(() => {
      this.#exhausted = true;
      if (this.#closed) return;
      if (!feeder.successful()) this.#inputError = { error: feeder.exception };
      else if (isExit(feeder.value)) this.#inputError = { error: feeder.value };
      this.#waiter?.wake();
    });
    this.#feeder = feeder;
    feeder.start();
  }

  /** In the feeder: an item is not read before it could start. */
  #read(): void {
    const iterator = this.#items[Symbol.iterator]();
    let reading = false;
    try {
      for (;;) {
        this.#waitUntilTaken();
        this.#members.waitForRoom();
        reading = true;
        const { done, value } = iterator.next();
        if (done) return;
        reading = false;
        const greenlet = this.#make(value);
        this.#members.start(greenlet);
        this.#startedNext(greenlet);
      }
    } finally {
      // An iterator that has thrown or is done is closed already.
      if (!reading) iterator.return?.();
    }
  }

  #waitUntilTaken(): void {
    while (this.#started - this.#taken >= this.#maxSize) {
      this.#feederWaiter = new Waiter('imap()');
      try {
        this.#feederWaiter.wait(undefined, () => {});
      } finally {
        this.#feederWaiter = undefined;
      }
    }
  }

  /** Of an array: starts items while there is room for them in the group and among the untaken. */
  #feed(): void {
    while (this.settled && this.#readNext()) {
      const greenlet = this.#next as Greenlet;
      if (this.#members.startOrQueue(greenlet, this)) this.#startedNext(greenlet);
      else this.settled = false;
    }
  }

  /** There is room, and it is ours: starts the item, and lines up for the next. */
  wake(): boolean {
    this.settled = true;
    const greenlet = this.#next;
    if (this.#closed || !greenlet) return false;
    this.#members.startInSlot(greenlet);
    this.#startedNext(greenlet);
    this.#feed();
    return true;
  }

  #startedNext(greenlet: Greenlet): void {
    this.#next = undefined;
    this.#running.set(greenlet, this.#started++);
  }

  /** Makes sure that there is a next item, if one may start. */
  #readNext(): boolean {
    if (this.#next) return true;
    if (this.#exhausted || this.#closed || this.#started - this.#taken >= this.#maxSize)
      return false;
    const { done, value } = (this.#iterator as Iterator<T>).next();
    if (done) this.#exhausted = true;
    else this.#next = this.#make(value);
    return !done;
  }

  #make(item: T): Greenlet {
    const greenlet = onBehalfOf(this.#asker, () => new Greenlet(this.#fn as never, item));
    greenlet.onEnd(this.#onEnd);
    return greenlet;
  }
}

/** Its reading runs nobody's code. */
function isPlainArray(items: unknown): boolean {
  return Array.isArray(items) && items[Symbol.iterator] === Array.prototype[Symbol.iterator];
}
