import { park } from '../index.js';

/**
 * Makes greenlets take turns in a given order, without sleeping (trio.testing.Sequencer).
 *
 * @example
 *     const order = new Sequencer();
 *     spawn(() => order.step(0, () => log.push('first')));
 *     spawn(() => order.step(1, () => log.push('second')));
 */
export class Sequencer {
  #next = 0;
  readonly #waiting = new Map<number, () => void>();

  /** Parks until all steps before `position` are over, runs `body`, and lets the next step go. */
  step<R>(position: number, body: () => R): R {
    if (position < this.#next || this.#waiting.has(position))
      throw new Error(`Step ${position} was taken already: every position is used once.`);
    if (position > this.#next) {
      park<void>((resume) => {
        this.#waiting.set(position, resume as () => void);
        return () => this.#waiting.delete(position);
      });
    }
    try {
      return body();
    } finally {
      this.#next = position + 1;
      const wake = this.#waiting.get(this.#next);
      this.#waiting.delete(this.#next);
      wake?.();
    }
  }
}
