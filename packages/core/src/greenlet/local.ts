/** Local: a variable with one value per greenlet. */
import { getCurrent } from './spawn.js';

/** Outside greenlets there is one place for all. */
const outside = new Map<unknown, unknown>();

/**
 * A value of the current greenlet alone (gevent.local). Starts as `initial` in each of them, and goes
 * with it. For values that spawned greenlets inherit use AsyncLocalStorage.
 */
export class Local<T> {
  readonly #initial: T | undefined;

  constructor(initial?: T) {
    this.#initial = initial;
  }

  get(): T | undefined {
    const values = getCurrent()?.locals ?? outside;
    return values.has(this) ? (values.get(this) as T) : this.#initial;
  }

  set(value: T): void {
    (getCurrent()?.locals ?? outside).set(this, value);
  }
}
