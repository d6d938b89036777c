/** What all queues share: who waits to put, who waits to get, and how an item changes hands. */
import { InvalidArgumentError, QueueEmpty, QueueFull, QueueShutDown } from '../errors.js';
import { checkTimeout, expired, type TimeoutOption } from '../hub/timed-wait.js';
import type { Items } from './items.js';
import { WaitList } from './wait-list.js';

export interface QueueOptions extends TimeoutOption {
  /** False: do not wait; throw QueueEmpty or QueueFull at once. Default true. */
  block?: boolean;
}

export abstract class QueueBase<T> implements Iterable<T> {
  readonly #items: Items<T>;
  readonly #capacity: number;
  /** Nobody waits here while there are items. The payload is the order of the item that was given. */
  readonly #getters = new WaitList<T, number>();
  /** Nobody waits here while there is room. */
  readonly #putters = new WaitList<true, T>();
  #shutDown = false;
  /** How many items have come in: the order of the newest. */
  #puts = 0;

  protected constructor(items: Items<T>, capacity: number) {
    this.#items = items;
    this.#capacity = capacity;
  }

  /** Items that are in the queue now. */
  get size(): number {
    return this.#items.length;
  }

  get length(): number {
    return this.#items.length;
  }

  empty(): boolean {
    return this.#items.length === 0;
  }

  full(): boolean {
    return this.#items.length >= this.#capacity;
  }

  /** The item that `get` would return; undefined if there is none. */
  peek(): T | undefined {
    return this.#items.peek();
  }

  /**
   * Puts an item in, parking while the queue is full.
   * @throws QueueFull when the time is up or with `block: false`; QueueShutDown
   */
  put(item: T, options?: QueueOptions): void {
    if (options) checkTimeout(options.timeout);
    if (this.#shutDown) throw new QueueShutDown();
    if (this.#give(item, this.#puts + 1)) {
      this.#puts++;
      this.onPut();
      return;
    }
    if (this.#items.length < this.#capacity) {
      this.#items.push(item, ++this.#puts);
      this.onPut();
      return;
    }
    if (options?.block === false) throw new QueueFull();
    // Without an undo: an item that was taken is put, even if a kill comes in the same turn.
    if (this.#putters.wait('Queue.put()', item, options?.timeout) === expired)
      throw new QueueFull();
  }

  /** `put` that never parks; works from callbacks, too. @throws QueueFull */
  putNowait(item: T): void {
    this.put(item, { block: false });
  }

  /**
   * Takes the next item, parking until there is one.
   * @throws QueueEmpty when the time is up or with `block: false`; QueueShutDown once it is drained
   */
  get(options?: QueueOptions): T {
    if (options) checkTimeout(options.timeout);
    if (this.#items.length > 0) {
      const item = this.#items.pop();
      this.#admit();
      return item;
    }
    const putter = this.#putters.serve(true);
    if (putter) {
      this.onPut();
      return putter.payload;
    }
    if (this.#shutDown) throw new QueueShutDown();
    if (options?.block === false) throw new QueueEmpty();
    const item = this.#getters.wait('Queue.get()', 0, options?.timeout, this.#takeBack);
    if (item === expired) throw new QueueEmpty();
    return item;
  }

  /** `get` that never parks; works from callbacks, too. @throws QueueEmpty */
  getNowait(): T {
    return this.get({ block: false });
  }

  /** Lets the putter that has waited longest into the room that a get has made. */
  #admit(): void {
    if (this.#items.length >= this.#capacity) return;
    const putter = this.#putters.serve(true);
    if (!putter) return;
    this.#items.push(putter.payload, ++this.#puts);
    this.onPut();
  }

  #give(item: T, order: number): boolean {
    const getter = this.#getters.serve(item);
    if (getter) getter.payload = order;
    return getter !== false;
  }

  // The getter died with the item in hand: it is the next one's, or in its old place in the queue.
  readonly #takeBack = (item: T, order: number): void => {
    if (!this.#give(item, order)) this.#items.unpop(item, order);
  };

  /**
   * No more puts. Those who wait to put, and to get from the empty queue, throw QueueShutDown; what
   * is in the queue can still be got, unless `immediate` drops it (Python 3.13's Queue.shutdown).
   */
  shutdown(options?: { immediate?: boolean }): void {
    this.#shutDown = true;
    this.#putters.failAll(() => new QueueShutDown());
    if (options?.immediate) {
      this.onDrop(this.#items.length);
      this.#items.clear();
    }
    this.#getters.failAll(() => new QueueShutDown());
  }

  get isShutDown(): boolean {
    return this.#shutDown;
  }

  /** Gets items until the queue is shut down and empty. */
  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (;;) {
      let item: T;
      try {
        item = this.get();
      } catch (error) {
        if (error instanceof QueueShutDown) return;
        throw error;
      }
      yield item;
    }
  }

  statistics(): { size: number; gettersWaiting: number; puttersWaiting: number } {
    return {
      size: this.#items.length,
      gettersWaiting: this.#getters.length,
      puttersWaiting: this.#putters.length,
    };
  }

  /** An item has been taken in. */
  protected onPut(): void {}
  /** `count` items were dropped. */
  protected onDrop(_count: number): void {}
}

/** @throws InvalidArgumentError unless undefined, or a whole number from 1 on (or Infinity) */
export function checkCapacity(maxSize: number | undefined): number {
  if (maxSize === undefined || maxSize === Number.POSITIVE_INFINITY)
    return Number.POSITIVE_INFINITY;
  if (Number.isInteger(maxSize) && maxSize >= 1) return maxSize;
  throw new InvalidArgumentError(
    'maxSize',
    'a whole number from 1 on (without it a queue is unbounded; capacity 0 is a Channel)',
    maxSize,
  );
}
