/** park(): the one primitive, for everything that starts an operation and waits for its end. */
import { NotInGreenletError } from '../errors.js';
import { hub } from './hub.js';
import { Waiter } from './waiter.js';

/** Ends a park. Late and repeated calls do nothing. */
export interface Resume<T> {
  (value: T): void;
  /** The park throws `reason`, unchanged. */
  error(reason: unknown): void;
}

/**
 * Starts an operation and parks the greenlet until it has ended.
 *
 * `start` gets `resume` and may return how to abort the operation. The abort runs exactly once, in
 * the parked greenlet, when a kill or a timeout ends the wait first; never after success. What
 * `start` throws comes out of `park`.
 *
 * @example
 *     const stat = park<fs.Stats>((resume) => {
 *       fs.stat(path, (error, stats) => (error ? resume.error(error) : resume(stats)));
 *     });
 * @throws NotInGreenletError, CannotSwitchError
 */
export function park<T>(start: (resume: Resume<T>) => (() => void) | void): T {
  const waiter = new Waiter<T>('park()');
  const resume = ((value: T) => {
    waiter.wake(value);
  }) as Resume<T>;
  resume.error = (reason) => {
    waiter.fail(reason);
  };
  return waiter.wait(start(resume) ?? undefined);
}

/**
 * True where a blocking call would park and nobody notice: in a greenlet that can be left at this point,
 * but not in a coroutine that somebody waits for in `resume`, who would go on before the call has ended.
 * For code that has another way to go on elsewhere.
 */
export function canPark(): boolean {
  const task = hub.current;
  return task !== undefined && !hub.isOnTop(task) && hub.canSwitch();
}

/** Lets everything run that is ready now, then goes on: what `sleep(0)` does. */
export function yieldToOthers(): void {
  const task = hub.current;
  if (!task) throw new NotInGreenletError('sleep()');
  task.throwInterrupt();
  hub.checkSwitch();
  hub.schedule(task);
  hub.park(task);
  task.throwInterrupt();
}
