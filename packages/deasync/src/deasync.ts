/** deasync: functions with a callback, as if they were synchronous. */
import { InvalidArgumentError, park, sleep as parkFor } from '@tendril/core';
import { checkGreenlet } from './greenlet-only.js';
import { loopWhile, runLoopOnce } from './loop.js';

// biome-ignore lint/suspicious/noExplicitAny: as @types/deasync has it, so that no caller has to change
type Any = any;

export interface Deasync {
  /**
   * A function that calls `fn` with its arguments and a callback, parks the greenlet until that is
   * called, and returns its second argument or throws the first.
   * @throws InvalidArgumentError; the function throws NotInGreenletError and has called nothing then
   */
  (fn: (...args: Any[]) => unknown): (...args: Any[]) => Any;
  /** See {@link loopWhile}. */
  loopWhile(predicate: () => unknown): void;
  /** See {@link runLoopOnce}. */
  runLoopOnce(): void;
  /** Parks the greenlet for `ms` milliseconds; for what is no positive number, one turn. */
  sleep(ms?: number): void;
}

type Callback = (error?: unknown, value?: unknown) => void;

function deasyncFunction(fn: (...args: unknown[]) => unknown): (...args: unknown[]) => unknown {
  if (typeof fn !== 'function') throw new InvalidArgumentError('fn', 'a function', fn);
  return function (this: unknown, ...args: unknown[]): unknown {
    checkGreenlet('A function wrapped by deasync');
    return park((resume) => {
      const callback: Callback = (error, value) => {
        if (error) resume.error(error);
        else resume(value);
      };
      fn.apply(this, [...args, callback]);
    });
  };
}
Object.defineProperty(deasyncFunction, 'name', { value: 'deasync' });

function sleep(ms?: number): void {
  checkGreenlet('deasync.sleep()');
  const duration = Number(ms) || 0;
  parkFor(Math.max(duration, 0));
}

/** See {@link Deasync}. */
export const deasync: Deasync = Object.assign(deasyncFunction, { loopWhile, runLoopOnce, sleep });
