import { InvalidArgumentError, ReleaseError } from '../errors.js';
import { checkTimeout, expired, type TimeoutOption } from '../hub/timed-wait.js';
import { RLock } from './rlock.js';
import type { AcquireOptions } from './semaphore.js';
import { WaitList } from './wait-list.js';

/** A lock, and a place to wait for what it guards to change (Python's threading.Condition). */
export class Condition {
  readonly #lock: RLock;
  readonly #waiting = new WaitList();

  constructor(lock: RLock = new RLock()) {
    if (!(lock instanceof RLock)) throw new InvalidArgumentError('lock', 'an RLock', lock);
    this.#lock = lock;
  }

  acquire(options?: AcquireOptions): boolean {
    return this.#lock.acquire(options);
  }

  release(): void {
    this.#lock.release();
  }

  /**
   * Gives up the lock, parks until notified, and takes the lock again, at all its levels, before it
   * returns or throws. False when `timeout` milliseconds have passed.
   * @throws ReleaseError if the current greenlet does not hold the lock
   */
  wait(options?: TimeoutOption): boolean {
    checkTimeout(options?.timeout);
    this.#checkHeld('wait()');
    const levels = this.#lock.releaseAll();
    try {
      // A notification that meets a kill goes to the next in line.
      const undo = () => void this.#waiting.serve(true);
      return this.#waiting.wait('Condition.wait()', undefined, options?.timeout, undo) !== expired;
    } finally {
      this.#lock.reacquire(levels);
    }
  }

  /** Wakes the `n` that have waited longest. @throws ReleaseError without the lock */
  notify(n = 1): void {
    this.#checkHeld('notify()');
    for (let left = n; left > 0; left--) if (!this.#waiting.serve(true)) return;
  }

  notifyAll(): void {
    this.notify(Number.POSITIVE_INFINITY);
  }

  #checkHeld(what: string): void {
    if (this.#lock.heldByCurrent === 0)
      throw new ReleaseError(`Condition.${what} needs the lock, which this greenlet does not hold`);
  }

  statistics(): { waiting: number } {
    return { waiting: this.#waiting.length };
  }
}
