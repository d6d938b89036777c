import { InvalidArgumentError, ReleaseError } from '../errors.js';
import { checkTimeout, expired, type TimeoutOption } from '../hub/timed-wait.js';
import { type Waiting, WaitList } from './wait-list.js';

export interface AcquireOptions extends TimeoutOption {
  /** False: do not wait, return false. Default true. */
  block?: boolean;
}

/**
 * A counter of permits (gevent.lock.Semaphore), strictly fair: a release hands its permit to whoever
 * has waited longest, and the counter only rises when nobody waits.
 */
export class Semaphore {
  #counter: number;
  readonly #waiting = new WaitList();

  /** @throws InvalidArgumentError unless `value` is a whole number from 0 on (or Infinity) */
  constructor(value = 1) {
    if (!(Number.isInteger(value) || value === Number.POSITIVE_INFINITY) || value < 0)
      throw new InvalidArgumentError('value', 'a whole number, 0 or more', value);
    this.#counter = value;
  }

  /** Permits that can be had without waiting. */
  get counter(): number {
    return this.#counter;
  }

  locked(): boolean {
    return this.#counter <= 0;
  }

  /** Takes a permit, parking until there is one. False when the time is up or `block` is false. */
  acquire(options?: AcquireOptions): boolean {
    if (options) checkTimeout(options.timeout);
    if (this.#counter > 0) {
      this.#counter--;
      return true;
    }
    if (options?.block === false) return false;
    const undo = () => this.release();
    return this.#waiting.wait('Semaphore.acquire()', undefined, options?.timeout, undo) !== expired;
  }

  /**
   * Takes a permit now (true), or puts `waiting` in line for one (false). For schedulers that have no
   * greenlet to park.
   */
  acquireOrQueue(waiting: Waiting<true>): boolean {
    if (this.#counter > 0) {
      this.#counter--;
      return true;
    }
    this.#waiting.add(waiting, undefined);
    return false;
  }

  /** Gives a permit back; works from everywhere. */
  release(): void {
    if (!this.#waiting.serve(true)) this.#counter++;
  }

  /** Runs `fn` with a permit, and gives it back however `fn` ends. */
  use<R>(fn: () => R): R {
    this.acquire();
    try {
      return fn();
    } finally {
      this.release();
    }
  }

  /** For `using`: takes a permit, which goes back at the end of the block. */
  hold(): Disposable {
    this.acquire();
    return { [Symbol.dispose]: () => this.release() };
  }

  statistics(): { counter: number; waiting: number } {
    return { counter: this.#counter, waiting: this.#waiting.length };
  }
}

/** A Semaphore that refuses to be released more often than it was acquired. */
export class BoundedSemaphore extends Semaphore {
  readonly #initial: number;

  constructor(value = 1) {
    super(value);
    this.#initial = value;
  }

  /** @throws ReleaseError */
  override release(): void {
    if (this.counter >= this.#initial)
      throw new ReleaseError('This BoundedSemaphore was released more often than acquired');
    super.release();
  }
}
