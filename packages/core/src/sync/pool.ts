import { InvalidArgumentError } from '../errors.js';
import type { Greenlet } from '../greenlet/greenlet.js';
import { checkStackSize } from '../hub/stack-size.js';
import { Group } from './group.js';
import { Semaphore } from './semaphore.js';
import type { Waiting } from './wait-list.js';

export interface PoolOptions {
  /** Of its members that have none of their own, in bytes: see `config.stackSize`. */
  stackSize?: number;
}

/** A Group with at most `size` members: `spawn` parks while it is full (gevent.pool.Pool). */
export class Pool extends Group {
  readonly #slots: Semaphore;
  readonly #limit: number;
  readonly #stackSize: number | undefined;

  /**
   * @throws InvalidArgumentError unless `size` is undefined (unbounded) or a whole number from 1 on;
   *   FiberError ERR_FIBER_STACK_SIZE for a stack that cannot be
   */
  constructor(size?: number, options?: PoolOptions) {
    super();
    checkStackSize(options?.stackSize);
    this.#stackSize = options?.stackSize;
    const limit = size ?? Number.POSITIVE_INFINITY;
    if (!(limit >= 1 && (Number.isInteger(limit) || limit === Number.POSITIVE_INFINITY)))
      throw new InvalidArgumentError('size', 'a whole number from 1 on', size);
    this.#limit = limit;
    this.#slots = new Semaphore(limit);
  }

  /** Members that there is room for. */
  get freeCount(): number {
    return this.#slots.counter;
  }

  get full(): boolean {
    return this.#slots.counter === 0;
  }

  /** The most members at a time. */
  get limit(): number {
    return this.#limit;
  }

  /** Takes a greenlet in, parking while the pool is full. */
  override add(greenlet: Greenlet): void {
    if (this.has(greenlet)) return;
    this.#slots.acquire();
    this.#addWithSlot(greenlet);
  }

  // The slot is the member's from here on, and memberLeft() gives it back.
  #addWithSlot(greenlet: Greenlet): void {
    greenlet.ownStackSize ??= this.#stackSize;
    try {
      super.add(greenlet);
    } finally {
      if (!this.has(greenlet)) this.#slots.release();
    }
  }

  protected override memberLeft(): void {
    this.#slots.release();
  }

  override startOrQueue(greenlet: Greenlet, run: Waiting<true>): boolean {
    if (!this.#slots.acquireOrQueue(run)) return false;
    this.startInSlot(greenlet);
    return true;
  }

  override waitForRoom(): void {
    if (!this.full) return;
    this.#slots.acquire();
    this.#slots.release();
  }

  override startInSlot(greenlet: Greenlet): void {
    this.#addWithSlot(greenlet);
    greenlet.start();
  }
}
