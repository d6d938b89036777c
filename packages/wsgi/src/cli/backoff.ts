/** Backoff: how long to wait before a worker that has died is replaced. */

/** A worker that has lived shorter, in milliseconds, has died of its own start. */
const shortLife = 2000;
const first = 250;
const most = 10_000;

/** One death is no pattern; from the second on the time doubles, up to ten seconds. */
export class Backoff {
  #deaths = 0;

  /** @returns milliseconds */
  afterDeath(lifetime: number): number {
    this.#deaths = lifetime < shortLife ? this.#deaths + 1 : 0;
    return this.#deaths < 2 ? 0 : Math.min(first * 2 ** (this.#deaths - 2), most);
  }

  /** Somebody has lived for `lifetime` milliseconds. */
  alive(lifetime: number): void {
    if (lifetime >= shortLife) this.#deaths = 0;
  }
}
