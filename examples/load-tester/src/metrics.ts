/** Metrics: how long requests took, by their names, in constant memory. */

/** Each bucket is wider than the one before by this factor: percentiles are exact to 2%. */
const growth = 1.02;
const logGrowth = Math.log(growth);
/** Milliseconds of the first bucket. */
const least = 0.01;

export interface Summary {
  name: string;
  count: number;
  failed: number;
  /** Milliseconds. */
  mean: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

class Series {
  readonly #buckets: number[] = [];
  count = 0;
  failed = 0;
  #sum = 0;
  #max = 0;

  add(ms: number): void {
    const at = ms <= least ? 0 : Math.ceil(Math.log(ms / least) / logGrowth);
    this.#buckets[at] = (this.#buckets[at] ?? 0) + 1;
    this.count++;
    this.#sum += ms;
    this.#max = Math.max(this.#max, ms);
  }

  #percentile(part: number): number {
    let left = Math.ceil(this.count * part);
    for (const [at, count = 0] of this.#buckets.entries()) {
      left -= count;
      if (left <= 0) return Math.min(least * growth ** at, this.#max);
    }
    return 0;
  }

  summary(name: string): Summary {
    const { count, failed } = this;
    const mean = count === 0 ? 0 : this.#sum / count;
    const [p50 = 0, p95 = 0, p99 = 0] = [0.5, 0.95, 0.99].map((part) => this.#percentile(part));
    return { name, count, failed, mean, p50, p95, p99, max: this.#max };
  }
}

export class Metrics {
  readonly #series = new Map<string, Series>();
  /** How often each failure was seen, by what it said. */
  readonly failures = new Map<string, number>();

  #of(name: string): Series {
    const known = this.#series.get(name);
    if (known) return known;
    const made = new Series();
    this.#series.set(name, made);
    return made;
  }

  /** A request was answered after `ms` milliseconds. */
  answered(name: string, ms: number): void {
    this.#of(name).add(ms);
  }

  /** A request failed, or its answer was not what it should be. */
  failed(name: string, why: string): void {
    this.#of(name).failed++;
    const key = `${name}: ${why}`;
    this.failures.set(key, (this.failures.get(key) ?? 0) + 1);
  }

  get total(): { count: number; failed: number } {
    let [count, failed] = [0, 0];
    for (const series of this.#series.values()) {
      count += series.count;
      failed += series.failed;
    }
    return { count, failed };
  }

  summaries(): Summary[] {
    return [...this.#series].map(([name, series]) => series.summary(name));
  }
}
