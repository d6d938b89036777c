import { NotInGreenletError, ReleaseError } from '../errors.js';
import { hub } from '../hub/hub.js';
import type { Task } from '../hub/task.js';
import { checkTimeout, expired } from '../hub/timed-wait.js';
import type { AcquireOptions } from './semaphore.js';
import { WaitList } from './wait-list.js';

/** A lock that its owner may take again (gevent.lock.RLock). Fair, as Semaphore is. */
export class RLock {
  #owner: Task | undefined;
  #count = 0;
  readonly #waiting = new WaitList<true, Task>();

  /** How often the current greenlet holds it. */
  get heldByCurrent(): number {
    return this.#owner !== undefined && this.#owner === hub.current ? this.#count : 0;
  }

  locked(): boolean {
    return this.#count > 0;
  }

  /** @throws NotInGreenletError: a lock has a greenlet for an owner */
  acquire(options?: AcquireOptions): boolean {
    checkTimeout(options?.timeout);
    const task = hub.current;
    if (!task) throw new NotInGreenletError('RLock.acquire()');
    if (this.#count === 0 || this.#owner === task) {
      this.#owner = task;
      this.#count++;
      return true;
    }
    if (options?.block === false) return false;
    const undo = () => this.#handOn();
    return this.#waiting.wait('RLock.acquire()', task, options?.timeout, undo) !== expired;
  }

  /** @throws ReleaseError if another greenlet holds it, or nobody */
  release(): void {
    this.#checkOwner();
    if (--this.#count === 0) this.#handOn();
  }

  /** Gives it up at all levels, and returns their number for {@link reacquire}. For Condition. */
  releaseAll(): number {
    this.#checkOwner();
    const count = this.#count;
    this.#handOn();
    return count;
  }

  /** Takes it again at `count` levels. A kill meanwhile is thrown when the lock is held again. */
  reacquire(count: number): void {
    let interrupt: { error: unknown } | undefined;
    for (;;) {
      try {
        this.acquire();
        break;
      } catch (error) {
        interrupt ??= { error };
      }
    }
    this.#count = count;
    if (interrupt) throw interrupt.error;
  }

  // The next owner holds it from here on, before it runs: nobody can get in between.
  #handOn(): void {
    const next = this.#waiting.serve(true);
    this.#owner = next ? next.payload : undefined;
    this.#count = next ? 1 : 0;
  }

  #checkOwner(): void {
    if (this.#count === 0) throw new ReleaseError('This RLock is not held');
    if (this.#owner !== hub.current) throw new ReleaseError('Another greenlet holds this RLock');
  }

  statistics(): { count: number; waiting: number } {
    return { count: this.#count, waiting: this.#waiting.length };
  }
}
