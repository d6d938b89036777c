/** Turns of the event loop, for code that asks again and again whether something has happened. */
import { getCurrent, InvalidArgumentError, park, sleep } from '@tendril/core';
import { checkGreenlet } from './greenlet-only.js';

/** So many turns follow one another at once: most callbacks have come by then. */
const freeTurns = 64;
/** After that each turn is a pause of 1 ms, one longer after so many, */
const turnsPerStep = 16;
/** up to this many milliseconds: a wait of many seconds costs a hundred looks a second. */
const longestPause = 10;
/** A greenlet that has not asked for so many milliseconds starts anew. */
const forgetAfter = 5 * longestPause;

/** Lets the event loop turn, ever more slowly. */
class Pace {
  #turns = 0;
  #last = 0;

  turn(): void {
    const now = performance.now();
    if (now - this.#last > forgetAfter) this.#turns = 0;
    const slow = this.#turns++ - freeTurns;
    if (slow < 0) nextTurn();
    else sleep(Math.min(longestPause, 1 + Math.floor(slow / turnsPerStep)));
    this.#last = performance.now();
  }
}

function nextTurn(): void {
  park<void>((resume) => {
    const immediate = setImmediate(resume as () => void);
    return () => clearImmediate(immediate);
  });
}

const paces = new WeakMap<object, Pace>();

/**
 * Parks the greenlet for one turn of the event loop, in which callbacks, ticks and other greenlets run.
 * Calls that follow one another closely become pauses of 1 to 10 ms.
 * @throws NotInGreenletError
 */
export function runLoopOnce(): void {
  checkGreenlet('deasync.runLoopOnce()');
  const greenlet = getCurrent() as object;
  let pace = paces.get(greenlet);
  if (!pace) {
    pace = new Pace();
    paces.set(greenlet, pace);
  }
  pace.turn();
}

/**
 * Parks the greenlet until `predicate` is false. It is asked after each turn of the event loop, 64
 * times at once and then after pauses that grow from 1 to 10 ms.
 * @throws NotInGreenletError, InvalidArgumentError, and what `predicate` throws
 */
export function loopWhile(predicate: () => unknown): void {
  if (typeof predicate !== 'function')
    throw new InvalidArgumentError('predicate', 'a function', predicate);
  checkGreenlet('deasync.loopWhile()');
  const pace = new Pace();
  while (predicate()) pace.turn();
}
