/** wait(): a promise, without await. */
import { InvalidArgumentError } from '../errors.js';
import { checkTimeout, expired, type TimeoutOption, waitAtMost } from '../hub/timed-wait.js';
import { Waiter } from '../hub/waiter.js';
import { leave, react } from './reaction.js';
import { type Then, thenOf } from './thenable.js';
import { type Timeout, timedOut } from './timeout.js';

/**
 * Either a promise, or a function that starts one and can be told to stop by its signal. A function that has
 * a `then` is a promise.
 */
export type Waitable<T> = PromiseLike<T> | ((signal: AbortSignal) => PromiseLike<T>);

/**
 * Parks the greenlet until a promise has settled; returns its value or throws its very reason.
 *
 * The function form gets an AbortSignal that aborts when the greenlet is killed or timed out, so that
 * the work stops: `wait((signal) => fetch(url, { signal }))`. A promise that rejects after its
 * greenlet was killed is no unhandled rejection. A promise that never settles holds nothing of the
 * waits that ended before it, however many they were. The signal's reason is the very error that is thrown
 * here: the Timeout, or what the greenlet is killed with.
 *
 * Anything with a `then` is followed as `await` does it, except that its `then` is called at once.
 *
 * @throws Timeout when `timeout` milliseconds are over; NotInGreenletError
 */
export function wait<T>(what: Waitable<T>, options?: TimeoutOption): T {
  const timeout = options?.timeout;
  checkTimeout(timeout);
  const waiter = new Waiter<T | typeof expired>('wait()');
  let promise: unknown = what;
  let then = thenOf(what);
  let controller: AbortController | undefined;
  if (!then && typeof what === 'function') {
    controller = new AbortController();
    promise = what(controller.signal);
    then = thenOf(promise);
  }
  if (!then)
    throw new InvalidArgumentError('what', 'a promise, or a function that returns one', promise);
  const reaction = react(promise, then, waiter);
  let late: Timeout | undefined;
  const result = waitAtMost<T>(waiter, timeout, (reason) => {
    leave(reaction, waiter);
    if (!controller) return;
    if (reason === undefined) late = timedOut(timeout, waitAtMost);
    controller.abort(reason ?? late);
  });
  if (result === expired) throw late ?? timedOut(timeout);
  return result;
}

/** As `wait(thenable)`, of which the `then` has been read. */
export function settled(thenable: unknown, then: Then): unknown {
  const waiter = new Waiter<unknown>('wait()');
  const reaction = react(thenable, then, waiter);
  return waiter.wait(() => leave(reaction, waiter));
}
