import { getHub, NotInGreenletError, park } from '../index.js';
import { onQuiet } from './quiet.js';

/** Runs `fn` and throws unless it parked at least once (trio.testing.assert_checkpoints). */
export function assertSwitches<R>(fn: () => R): R {
  const { parks, result } = countParks('assertSwitches()', fn);
  if (parks === 0) throw new Error('assertSwitches: the code never parked its greenlet.');
  return result;
}

/** Runs `fn` and throws if it parked (trio.testing.assert_no_checkpoints). */
export function assertNoSwitch<R>(fn: () => R): R {
  const { parks, result } = countParks('assertNoSwitch()', fn);
  if (parks > 0)
    throw new Error(
      `assertNoSwitch: the code parked its greenlet ${parks === 1 ? 'once' : `${parks} times`}.`,
    );
  return result;
}

function countParks<R>(what: string, fn: () => R): { parks: number; result: R } {
  const task = getHub().current;
  if (!task) throw new NotInGreenletError(what);
  const before = task.parks;
  const result = fn();
  return { parks: task.parks - before, result };
}

/**
 * Parks the caller until every other greenlet is parked, nothing is ready, and one whole turn of the
 * event loop has changed nothing about it (trio.testing.wait_all_tasks_blocked). A virtual clock does
 * not jump meanwhile.
 */
export function waitAllParked(): void {
  park<void>((resume) => onQuiet('greenlet', resume as () => void));
}
