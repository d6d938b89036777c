/**
 * One run of map, imap or imapUnordered over a group.
 *
 * Items are fed as slots come free, by whoever frees them: there is no feeding greenlet that would
 * have to be switched to for every item.
 */
import { InvalidArgumentError } from '../errors.js';
import { Greenlet } from '../greenlet/greenlet.js';
import { killall } from '../greenlet/join.js';
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
}

export interface MapResult<R> {
  index: number;
  value: Awaited<R>;
}

export class MapRun<T, R> implements Iterable<MapResult<R>>, Waiting<true> {
  /** Not in line for room in the group. */
  settled = true;
  readonly #members: Members;
  readonly #fn: (item: T) => R;
  readonly #items: Iterator<T>;
  readonly #readAhead: number;
  /** An array can be read from anywhere; another iterable may park, so only its greenlet reads it. */
  readonly #readsAnywhere: boolean;
  /** The item to start next, read already. */
  #next: Greenlet | undefined;
  #started = 0;
  #taken = 0;
  #exhausted = false;
  #closed = false;
  #inputError: { error: unknown } | undefined;
  readonly #running = new Map<Greenlet, number>();
  #ended: { index: number; greenlet: Greenlet }[] = [];
  #waiter: Waiter<void> | undefined;
  readonly #onEnd = (greenlet: Greenlet) => {
    const index = this.#running.get(greenlet) as number;
    this.#running.delete(greenlet);
    if (this.#closed) return;
    // Seen, or about to be: no report of an uncollected error.
    if (!greenlet.successful()) void greenlet.exception;
    this.#ended.push({ index, greenlet });
    this.#waiter?.wake();
  };

  constructor(members: Members, fn: (item: T) => R, items: Iterable<T>, options?: ImapOptions) {
    if (typeof fn !== 'function') throw new InvalidArgumentError('fn', 'a function', fn);
    if (typeof items?.[Symbol.iterator] !== 'function')
      throw new InvalidArgumentError('items', 'iterable', items);
    const readAhead = options?.maxSize ?? 1024;
    if (!(readAhead >= 1)) throw new InvalidArgumentError('maxSize', 'at least 1', readAhead);
    this.#members = members;
    this.#fn = fn;
    this.#items = items[Symbol.iterator]();
    this.#readAhead = readAhead;
    this.#readsAnywhere = Array.isArray(items);
  }

  *[Symbol.iterator](): Generator<MapResult<R>, void, undefined> {
    let failed = false;
    try {
      for (;;) {
        this.#feed();
        if (this.#ended.length === 0) {
          if (this.#inputError) throw this.#inputError.error;
          if (this.#exhausted && this.#running.size === 0 && !this.#next) return;
          this.#waiter = new Waiter('map()');
          this.#waiter.wait(undefined, () => {});
          this.#waiter = undefined;
        }
        const ended = this.#ended;
        this.#ended = [];
        for (const { index, greenlet } of ended) {
          this.#taken++;
          if (greenlet.exception !== undefined) failed = true;
          yield { index, value: greenlet.get() as Awaited<R> };
        }
      }
    } finally {
      this.#close(failed);
    }
  }

  /** Starts items while there is room for them in the group and in the read-ahead. */
  #feed(): void {
    while (this.settled && this.#take()) {
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
    if (this.#readsAnywhere) this.#feed();
    else this.#waiter?.wake();
    return true;
  }

  #startedNext(greenlet: Greenlet): void {
    this.#next = undefined;
    this.#running.set(greenlet, this.#started++);
  }

  /** Makes sure that there is a next item, if one may start. */
  #take(): boolean {
    if (this.#next) return true;
    if (this.#exhausted || this.#closed || this.#started - this.#taken >= this.#readAhead)
      return false;
    try {
      const { done, value } = this.#items.next();
      if (done) {
        this.#exhausted = true;
        return false;
      }
      const greenlet = new Greenlet(this.#fn as never, value);
      greenlet.onEnd(this.#onEnd);
      this.#next = greenlet;
      return true;
    } catch (error) {
      this.#exhausted = true;
      this.#inputError = { error };
      this.#waiter?.wake();
      return false;
    }
  }

  // However the iteration ends, nothing more starts. After a failure of an item the others go on; a
  // caller that was killed, or that left the loop, takes what runs with it.
  #close(failed: boolean): void {
    this.#closed = true;
    this.#next = undefined;
    if (!this.#exhausted) this.#items.return?.();
    if (!failed) killall([...this.#running.keys()], { block: false });
  }
}
