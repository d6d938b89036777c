/** Local: a variable with one value per greenlet. */
import type { LocalValues } from './local-values.js';
import { getCurrent } from './spawn.js';

/** Outside greenlets there is one place for all. */
const outside: LocalValues = new WeakMap();

/**
 * A value of the current greenlet alone (gevent.local). Starts as `initial` in each of them, and goes
 * with it, or with the Local. For values that spawned greenlets inherit use AsyncLocalStorage.
 */
export class Local<T> {
  readonly #initial: T | undefined;

  constructor(initial?: T) {
    this.#initial = initial;
  }

  get(): T | undefined {
    const current = getCurrent();
    const values = current ? current.localValues : outside;
    if (!values) return this.#initial;
    const value = values.get(this) as T | undefined;
    return value !== undefined || values.has(this) ? value : this.#initial;
  }

  set(value: T): void {
    const current = getCurrent();
    if (current) {
      current.localValues ??= new WeakMap();
      current.localValues.set(this, value);
    } else {
      outside.set(this, value);
    }
  }
}
