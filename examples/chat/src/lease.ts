/** Lease: lapses when nobody has held it for a while. */
import { type Greenlet, spawnLater } from '@tendril/core';

export class Lease {
  readonly #ms: number;
  readonly #lapse: () => void;
  #holders = 0;
  #timer: Greenlet | undefined;
  #ended = false;

  constructor(ms: number, lapse: () => void) {
    this.#ms = ms;
    this.#lapse = lapse;
  }

  /** Until the result is disposed of it does not lapse. */
  hold(): Disposable {
    this.#holders++;
    this.#timer?.kill({ block: false });
    return {
      [Symbol.dispose]: () => {
        if (--this.#holders > 0 || this.#ended) return;
        this.#timer = spawnLater(this.#ms, () => {
          this.#timer = undefined; // end() must not kill the greenlet that it is called in
          this.#lapse();
        });
      },
    };
  }

  /** It never lapses. */
  end(): void {
    this.#ended = true;
    this.#timer?.kill({ block: false });
  }
}
