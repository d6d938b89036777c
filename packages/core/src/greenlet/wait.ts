/** wait(): a promise, without await. */
import { InvalidArgumentError } from '../errors.js';
import { checkTimeout, expired, type TimeoutOption, waitAtMost } from '../hub/timed-wait.js';
import { Waiter } from '../hub/waiter.js';
import { leave, react } from './reaction.js';
import { timedOut } from './timeout.js';

/** Either a promise, or a function that starts one and can be told to stop by its signal. */
export type Waitable<T> = PromiseLike<T> | ((signal: AbortSignal) => PromiseLike<T>);

/**
 * Parks the greenlet until a promise has settled; returns its value or throws its very reason.
 *
 * The function form gets an AbortSignal that aborts when the greenlet is killed or timed out, so that
 * the work stops: `wait((signal) => fetch(url, { signal }))`. A promise that rejects after its
 * greenlet was killed is no unhandled rejection. A promise that never settles holds nothing of the
 * waits that ended before it, however many they were.
 *
 * @throws Timeout when `timeout` milliseconds are over; NotInGreenletError
 */
export function wait<T>(what: Waitable<T>, options?: TimeoutOption): T {
  const timeout = options?.timeout;
  checkTimeout(timeout);
  const waiter = new Waiter<T | typeof expired>('wait()');
  const controller = typeof what === 'function' ? new AbortController() : undefined;
  const promise = typeof what === 'function' ? what((controller as AbortController).signal) : what;
  if (typeof promise?.then !== 'function')
    throw new InvalidArgumentError('what', 'a promise, or a function that returns one', promise);
  const reaction = react(promise, waiter);
  const result = waitAtMost<T>(waiter, timeout, (reason) => {
    leave(reaction, waiter);
    controller?.abort(reason ?? timedOut(timeout));
  });
  if (result === expired) throw timedOut(timeout);
  return result;
}
