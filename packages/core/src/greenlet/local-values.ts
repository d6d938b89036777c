/** What one greenlet holds under the Locals of a program, and under other keys. */

/** A value goes with its greenlet or with its Local, whichever is first. */
export type LocalValues = WeakMap<WeakKey, unknown>;

interface Place {
  get(key: unknown): unknown;
  has(key: unknown): boolean;
  set(key: unknown, value: unknown): unknown;
  delete(key: unknown): boolean;
}

/**
 * A Map of the values of one greenlet that cannot be iterated: a key that is an object (a Local, say) is
 * held weakly. Strings, numbers and symbols are held as a Map holds them.
 */
export class Locals {
  readonly #values: LocalValues;
  readonly #named = new Map<unknown, unknown>();

  private constructor(values: LocalValues) {
    this.#values = values;
  }

  /** Always the same for the same values. */
  static of(values: LocalValues): Locals {
    const known = values.get(Locals) as Locals | undefined;
    if (known) return known;
    const locals = new Locals(values);
    values.set(Locals, locals);
    return locals;
  }

  #place(key: unknown): Place {
    const isObject = (typeof key === 'object' && key !== null) || typeof key === 'function';
    return isObject ? this.#values : this.#named;
  }

  get(key: unknown): unknown {
    return this.#place(key).get(key);
  }

  has(key: unknown): boolean {
    return this.#place(key).has(key);
  }

  set(key: unknown, value: unknown): this {
    this.#place(key).set(key, value);
    return this;
  }

  delete(key: unknown): boolean {
    return this.#place(key).delete(key);
  }
}
