/** Bucket: so many at once, and so many in a second after that. */
export class Bucket {
  readonly #size: number;
  readonly #perSecond: number;
  #level: number;
  #filledAt = performance.now();

  constructor(size: number, perSecond: number) {
    this.#size = this.#level = size;
    this.#perSecond = perSecond;
  }

  /** Takes one out. False if there is none. */
  take(): boolean {
    const now = performance.now();
    const gained = ((now - this.#filledAt) / 1000) * this.#perSecond;
    this.#level = Math.min(this.#size, this.#level + gained);
    this.#filledAt = now;
    if (this.#level < 1) return false;
    this.#level--;
    return true;
  }
}
