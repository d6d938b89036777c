import { ReleaseError } from '../errors.js';
import { checkTimeout, expired, type TimeoutOption } from '../hub/timed-wait.js';
import { FifoItems, type Items, LifoItems, PriorityItems } from './items.js';
import { checkCapacity, QueueBase } from './queue-base.js';
import { WaitList } from './wait-list.js';

/** First in, first out, without task tracking (gevent.queue.SimpleQueue). `maxSize` undefined: unbounded. */
export class SimpleQueue<T = unknown> extends QueueBase<T> {
  constructor(maxSize?: number) {
    super(new FifoItems<T>(), checkCapacity(maxSize));
  }
}

/** No room at all: `put` parks until a `get` takes the item (a rendezvous, as Go's channels). */
export class Channel<T = unknown> extends QueueBase<T> {
  constructor() {
    super(new FifoItems<T>(), 0);
  }
}

abstract class JoinableQueue<T> extends QueueBase<T> {
  #unfinished = 0;
  readonly #joining = new WaitList();

  protected constructor(items: Items<T>, maxSize?: number) {
    super(items, checkCapacity(maxSize));
  }

  protected override onPut(): void {
    this.#unfinished++;
  }

  protected override onDrop(count: number): void {
    this.#finish(count);
  }

  /** Items put and not yet reported by `taskDone`. */
  get unfinishedTasks(): number {
    return this.#unfinished;
  }

  /** Says that an item that was got is dealt with. @throws ReleaseError if called too often */
  taskDone(): void {
    if (this.#unfinished === 0)
      throw new ReleaseError('taskDone() was called more often than there were items');
    this.#finish(1);
  }

  #finish(count: number): void {
    this.#unfinished -= count;
    if (this.#unfinished === 0) this.#joining.serveAll(true);
  }

  /** Parks until every item has been reported. False when `timeout` milliseconds have passed. */
  join(options?: TimeoutOption): boolean {
    checkTimeout(options?.timeout);
    if (this.#unfinished === 0) return true;
    return this.#joining.wait('Queue.join()', undefined, options?.timeout, () => {}) !== expired;
  }
}

/** First in, first out (gevent.queue.JoinableQueue). `maxSize` undefined: unbounded. */
export class Queue<T = unknown> extends JoinableQueue<T> {
  constructor(maxSize?: number) {
    super(new FifoItems<T>(), maxSize);
  }
}

/** Last in, first out. */
export class LifoQueue<T = unknown> extends JoinableQueue<T> {
  constructor(maxSize?: number) {
    super(new LifoItems<T>(), maxSize);
  }
}

/** The least item first, as `<` orders; equal ones in the order of their puts. */
export class PriorityQueue<T = unknown> extends JoinableQueue<T> {
  constructor(maxSize?: number) {
    super(new PriorityItems<T>(), maxSize);
  }
}
