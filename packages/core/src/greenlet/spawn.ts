/** Starting greenlets and giving way. */
import { hub } from '../hub/hub.js';
import { park, yieldToOthers } from '../hub/park.js';
import { checkTimeout } from '../hub/timed-wait.js';
import { Greenlet } from './greenlet.js';

/**
 * Makes a greenlet that runs `fn(...args)` and starts it on the next turn of the hub, in spawn order.
 * `fn` may be async: the greenlet then ends with the promise's outcome.
 */
export function spawn<A extends unknown[], R>(
  fn: (...args: A) => R,
  ...args: A
): Greenlet<Awaited<R>> {
  const greenlet = new Greenlet(fn as never, ...args) as Greenlet<Awaited<R>>;
  greenlet.start();
  return greenlet;
}

/** Like {@link spawn}, after `ms` milliseconds. A kill before that prevents the run. */
export function spawnLater<A extends unknown[], R>(
  ms: number,
  fn: (...args: A) => R,
  ...args: A
): Greenlet<Awaited<R>> {
  const greenlet = new Greenlet(fn as never, ...args) as Greenlet<Awaited<R>>;
  greenlet.startLater(ms);
  return greenlet;
}

/**
 * Parks the current greenlet for `ms` milliseconds. `sleep(0)` lets everything run that is ready now.
 * @throws NotInGreenletError, InvalidArgumentError
 */
export function sleep(ms = 0): void {
  if (ms === 0) {
    yieldToOthers();
    return;
  }
  checkTimeout(ms, 'ms');
  park<void>((resume) => {
    const timer = hub.clock.setTimer(ms, resume as () => void);
    return () => timer.cancel();
  });
}

/** Parks the current greenlet until the event loop has nothing else to do in this turn. */
export function idle(): void {
  park<void>((resume) => {
    const immediate = setImmediate(function again() {
      if (hub.readyCount > 0) setImmediate(again);
      else resume();
    });
    return () => clearImmediate(immediate);
  });
}

/** The greenlet that runs now. */
export function getCurrent(): Greenlet | undefined {
  return hub.current as Greenlet | undefined;
}
