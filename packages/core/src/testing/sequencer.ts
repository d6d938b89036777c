import { InvalidArgumentError } from '../errors.js';
import { park } from '../index.js';

/** Lets fields of a class be put on a function: `new Sequencer()` can be called. */
const Callable = class {
  constructor(call: unknown) {
    // biome-ignore lint/correctness/noConstructorReturn: this is what the class is for
    return Object.setPrototypeOf(call, new.target.prototype);
  }
} as new (
  call: unknown,
) => (position: number) => Disposable;

/**
 * Makes greenlets take turns in a given order, without sleeping (trio.testing.Sequencer). Every position,
 * from 0 on, is used once.
 *
 * @example
 *     const seq = new Sequencer();
 *     spawn(() => {
 *       { using step = seq(0); log.push('first'); }
 *       { using step = seq(2); log.push('third'); }
 *     });
 *     spawn(() => seq.step(1, () => log.push('second')));
 */
export class Sequencer extends Callable {
  #next = 0;
  #broken = false;
  readonly #used = new Set<number>();
  readonly #waiting = new Map<number, { go(): void; fail(error: Error): void }>();

  constructor() {
    super((position: number) => this.step(position));
  }

  /** Parks until all earlier positions are over. This one is over when the result is disposed of. */
  step(position: number): Disposable;
  /** Parks until all earlier positions are over, and runs `body` as this one. */
  step<R>(position: number, body: () => R): R;
  step(position: number, body?: () => unknown): unknown {
    this.#enter(position);
    if (!body) return { [Symbol.dispose]: () => this.#leave(position) };
    try {
      return body();
    } finally {
      this.#leave(position);
    }
  }

  #enter(position: number): void {
    if (!Number.isInteger(position) || position < 0)
      throw new InvalidArgumentError('position', 'a whole number, 0 or more', position);
    if (this.#used.has(position))
      throw new Error(`Position ${position} was used before: every position is used once.`);
    if (this.#broken) throw broken();
    this.#used.add(position);
    if (position === this.#next) return;
    park<void>((resume) => {
      this.#waiting.set(position, { go: resume as () => void, fail: resume.error });
      return () => this.#break(position);
    });
  }

  #leave(position: number): void {
    if (position !== this.#next) return; // disposed of twice
    this.#next = position + 1;
    const next = this.#waiting.get(this.#next);
    this.#waiting.delete(this.#next);
    next?.go();
  }

  // The position of a greenlet that is killed is never over: the later ones would wait for ever.
  #break(position: number): void {
    this.#waiting.delete(position);
    this.#broken = true;
    for (const { fail } of this.#waiting.values()) fail(broken());
    this.#waiting.clear();
  }
}

function broken(): Error {
  return new Error(
    'The sequence is broken: a greenlet was killed while it waited for its position.',
  );
}
