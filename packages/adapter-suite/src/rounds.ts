/** How long storms last, and the numbers that they are driven by. */

const long = Boolean(process.env.TENDRIL_TEST_LONG);
const short = Boolean(process.env.TENDRIL_TEST_SHORT);

export const rounds = short ? 60 : long ? 2000 : 500;

/** Reproducible numbers from 0 up to below 1. */
export function* chances(seed: number): Generator<number, never> {
  for (let state = seed >>> 0; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}
