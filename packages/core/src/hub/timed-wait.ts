/** Waits with a time limit, for primitives: one option and one meaning everywhere. */
import { InvalidArgumentError } from '../errors.js';
import { hub } from './hub.js';
import type { Waiter } from './waiter.js';

export interface TimeoutOption {
  /** Milliseconds; 0 is the next turn of the hub, undefined and Infinity never. */
  timeout?: number | undefined;
}

/** What {@link waitAtMost} returns when the time is up. */
export const expired = Symbol('expired');

/** @throws InvalidArgumentError for anything but undefined or a number from 0 on */
export function checkTimeout(timeout: number | undefined, name = 'timeout'): void {
  if (timeout !== undefined && !(typeof timeout === 'number' && timeout >= 0))
    throw new InvalidArgumentError(name, 'a number of milliseconds, 0 or more', timeout);
}

/** Calls `fire` after `ms` milliseconds, for 0 on the next turn of the hub. Returns how to cancel. */
export function startTimer(ms: number, fire: () => void): () => void {
  if (ms > 0) {
    const timer = hub.clock.setTimer(ms, fire);
    return () => timer.cancel();
  }
  let cancelled = false;
  hub.schedule(() => {
    if (!cancelled) fire();
  });
  return () => {
    cancelled = true;
  };
}

/**
 * `waiter.wait(abort, undo)`, for at most `timeout` milliseconds. `abort` runs when the time is up,
 * too; `undo` never gets {@link expired}.
 */
export function waitAtMost<T>(
  waiter: Waiter<T | typeof expired>,
  timeout: number | undefined,
  abort?: (reason?: unknown) => void,
  undo?: (value: T) => void,
): T | typeof expired {
  if (timeout === undefined || timeout === Number.POSITIVE_INFINITY)
    return waiter.wait(abort, undo as ((value: T | typeof expired) => void) | undefined);
  const cancel = startTimer(timeout, () => waiter.wake(expired));
  try {
    const result = waiter.wait(
      abort,
      undo && ((value) => (value === expired ? abort?.() : undo(value))),
    );
    if (result === expired) abort?.();
    return result;
  } finally {
    cancel();
  }
}
