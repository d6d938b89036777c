import type { Linkable } from '../greenlet/linkable.js';
import { checkTimeout, expired, type TimeoutOption } from '../hub/timed-wait.js';
import { callLater, Links } from './links.js';
import { WaitList } from './wait-list.js';

/**
 * A flag that greenlets wait for (gevent.event.Event). `set()` wakes everybody who waits at that
 * moment, in order, even if `clear()` follows at once.
 */
export class Event implements Linkable {
  #set = false;
  readonly #waiting = new WaitList();
  readonly #links = new Links<this>();

  isSet(): boolean {
    return this.#set;
  }

  ready(): boolean {
    return this.#set;
  }

  /** Works from everywhere. */
  set(): void {
    this.#set = true;
    this.#waiting.serveAll(true);
    this.#links.notify(this);
  }

  clear(): void {
    this.#set = false;
  }

  /** Parks until the flag is set. False when `timeout` milliseconds have passed before. */
  wait(options?: TimeoutOption): boolean {
    checkTimeout(options?.timeout);
    if (this.#set) return true;
    return this.#waiting.wait('Event.wait()', undefined, options?.timeout, () => {}) !== expired;
  }

  /** Calls `callback(this)` on a later turn once the flag is set, or soon if it is set already. */
  link(callback: (self: this) => void): void {
    if (this.#set) callLater(callback, this);
    else this.#links.add(callback);
  }

  unlink(callback: (self: this) => void): void {
    this.#links.remove(callback);
  }

  statistics(): { waiting: number } {
    return { waiting: this.#waiting.length };
  }
}
