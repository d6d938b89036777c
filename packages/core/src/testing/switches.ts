import { getHub, park } from '../index.js';

/** Runs `fn` and throws unless it parked at least once (trio's assert_checkpoints). */
export function assertSwitches<R>(fn: () => R): R {
  const { parks, result } = count(fn);
  if (parks === 0) throw new Error('assertSwitches: the code never parked its greenlet.');
  return result;
}

/** Runs `fn` and throws if it parked (trio's assert_no_checkpoints). */
export function assertNoSwitch<R>(fn: () => R): R {
  const { parks, result } = count(fn);
  if (parks > 0) throw new Error(`assertNoSwitch: the code parked its greenlet ${parks} times.`);
  return result;
}

function count<R>(fn: () => R): { parks: number; result: R } {
  const task = getHub().current;
  if (!task) throw new Error('assertSwitches and assertNoSwitch belong into a greenlet.');
  const before = task.parks;
  const result = fn();
  return { parks: task.parks - before, result };
}

/**
 * Parks the caller until every other greenlet is parked and one turn of the event loop has made none
 * of them ready (trio.testing.wait_all_tasks_blocked).
 */
export function waitAllParked(): void {
  const hub = getHub();
  park<void>((resume) => {
    let immediate = setImmediate(look);
    let quietTurns = 0;
    function look() {
      quietTurns = hub.readyCount === 0 ? quietTurns + 1 : 0;
      if (quietTurns >= 2) resume();
      else immediate = setImmediate(look);
    }
    return () => clearImmediate(immediate);
  });
}
