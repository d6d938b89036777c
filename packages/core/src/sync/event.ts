import type { Linkable } from '../greenlet/linkable.js';
import { addLink, Link, type Links, notifyLinks, removeLink } from '../greenlet/links.js';
import { checkTimeout, expired, type TimeoutOption } from '../hub/timed-wait.js';
import { WaitList } from './wait-list.js';

const describe = () => 'an Event';

/**
 * A flag that greenlets wait for (gevent.event.Event). `set()` wakes everybody who waits at that
 * moment, in order, even if `clear()` follows at once.
 */
export class Event implements Linkable {
  #set = false;
  readonly #waiting = new WaitList();
  #links: Links = undefined;

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
    this.#links = notifyLinks(this.#links, this, describe);
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

  /**
   * Calls `callback(this)` on a later turn once the flag is set, or soon if it is set already: outside any
   * greenlet, in the AsyncLocalStorage context of this call.
   */
  link(callback: (self: this) => void): void {
    const link = new Link(callback);
    if (this.#set) link.tell(this, describe);
    this.#links = addLink(this.#links, link);
  }

  unlink(callback: (self: this) => void): void {
    this.#links = removeLink(this.#links, callback);
  }

  statistics(): { waiting: number } {
    return { waiting: this.#waiting.length };
  }
}
