import type { GetOptions } from '../greenlet/greenlet.js';
import type { Linkable } from '../greenlet/linkable.js';
import { addLink, Link, type Links, notifyLinks, removeLink } from '../greenlet/links.js';
import { timedOut } from '../greenlet/timeout.js';
import { checkTimeout, expired, type TimeoutOption } from '../hub/timed-wait.js';
import { WaitList } from './wait-list.js';

const describe = () => 'an AsyncResult';

/** A value or an error that greenlets wait for (gevent.event.AsyncResult). */
export class AsyncResult<T = unknown> implements Linkable {
  #state: 'pending' | 'value' | 'error' = 'pending';
  #outcome: unknown = undefined;
  readonly #waiting = new WaitList();
  #links: Links = undefined;

  /** Wakes everybody with a value. Setting again replaces it for those who ask later. */
  set(value: T): void {
    this.#settle('value', value);
  }

  /** Wakes everybody with an error, which `get` throws unchanged. */
  setException(error: unknown): void {
    this.#settle('error', error);
  }

  #settle(state: 'value' | 'error', outcome: unknown): void {
    this.#state = state;
    this.#outcome = outcome;
    this.#waiting.serveAll(true);
    this.#links = notifyLinks(this.#links, this, describe);
  }

  ready(): boolean {
    return this.#state !== 'pending';
  }

  successful(): boolean {
    return this.#state === 'value';
  }

  get value(): T | undefined {
    return this.#state === 'value' ? (this.#outcome as T) : undefined;
  }

  get exception(): unknown {
    return this.#state === 'error' ? this.#outcome : undefined;
  }

  /**
   * The value, or throws the very error.
   * @throws Timeout when the time is up, or with `block: false` if there is neither
   */
  get(options?: GetOptions): T {
    const timeout = options?.timeout;
    checkTimeout(timeout);
    if (this.#state === 'pending') {
      if (options?.block === false) throw timedOut(undefined);
      if (this.#park(timeout) === expired) throw timedOut(timeout);
    }
    if (this.#state === 'error') throw this.#outcome;
    return this.#outcome as T;
  }

  /** `get({ block: false })`. */
  getNowait(): T {
    return this.get({ block: false });
  }

  /** Parks until there is an outcome; the value, or undefined after an error or a timeout. */
  wait(options?: TimeoutOption): T | undefined {
    checkTimeout(options?.timeout);
    if (this.#state === 'pending') this.#park(options?.timeout);
    return this.value;
  }

  #park(timeout: number | undefined) {
    return this.#waiting.wait('AsyncResult.get()', undefined, timeout, () => {});
  }

  /**
   * Calls `callback(this)` on a later turn once there is an outcome: outside any greenlet, in the
   * AsyncLocalStorage context of this call.
   */
  link(callback: (self: this) => void): void {
    const link = new Link(callback);
    if (this.ready()) link.tell(this, describe);
    this.#links = addLink(this.#links, link);
  }

  unlink(callback: (self: this) => void): void {
    this.#links = removeLink(this.#links, callback);
  }

  statistics(): { waiting: number } {
    return { waiting: this.#waiting.length };
  }
}
