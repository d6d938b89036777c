/** Answers that are still good, and for a while those that were. */
import { InvalidArgumentError } from '../errors.js';
import { hub } from '../hub/hub.js';

export interface CacheOptions {
  /** Answers kept; the least recently used goes first. Default 10,000. */
  maxEntries?: number;
  /** Milliseconds that an answer is good at least and at most, whatever its TTL; default 0 and 1 h. */
  minTtl?: number;
  maxTtl?: number;
  /** Milliseconds that "there is no such name" is good; default 5,000. */
  negativeTtl?: number;
  /** Milliseconds after its end that an answer may be used while no server answers; default 5 min. */
  staleTtl?: number;
}

interface Entry<T> {
  readonly value: T;
  readonly goodUntil: number;
  readonly staleUntil: number;
}

const defaults: Required<CacheOptions> = {
  maxEntries: 10_000,
  minTtl: 0,
  maxTtl: 3_600_000,
  negativeTtl: 5000,
  staleTtl: 300_000,
};

export class Cache<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #options: Required<CacheOptions>;

  /** @throws InvalidArgumentError: a time that is no number would keep answers for ever */
  constructor(options: CacheOptions = {}) {
    this.#options = { ...defaults };
    for (const name of Object.keys(defaults) as (keyof CacheOptions)[]) {
      const value = options[name] ?? defaults[name];
      if (!(value >= 0))
        throw new InvalidArgumentError(`cache.${name}`, 'a number from 0 on', value);
      this.#options[name] = value;
    }
  }

  get size(): number {
    return this.#entries.size;
  }

  /** An answer that is good now. */
  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (!entry || entry.goodUntil <= hub.clock.now()) return undefined;
    // A Map keeps the order of insertion: the one used last goes to the end.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** An answer that may do when no server gives a better one. */
  getStale(key: string): T | undefined {
    const entry = this.#entries.get(key);
    return entry && entry.staleUntil > hub.clock.now() ? entry.value : undefined;
  }

  /** `ttl` in milliseconds; one that is not known (NaN) counts as 0. */
  set(key: string, value: T, ttl: number): void {
    const { minTtl, maxTtl, staleTtl } = this.#options;
    this.#put(key, value, Math.min(Math.max(ttl || 0, minTtl), maxTtl), staleTtl);
  }

  /** "There is none": good for `negativeTtl`, and never used when stale. */
  setNegative(key: string, value: T): void {
    this.#put(key, value, this.#options.negativeTtl, 0);
  }

  #put(key: string, value: T, good: number, stale: number): void {
    this.#entries.delete(key);
    if (good <= 0 && stale <= 0) return;
    const goodUntil = hub.clock.now() + good;
    this.#entries.set(key, { value, goodUntil, staleUntil: goodUntil + stale });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#options.maxEntries) break;
      this.#entries.delete(oldest);
    }
  }

  clear(): void {
    this.#entries.clear();
  }
}
