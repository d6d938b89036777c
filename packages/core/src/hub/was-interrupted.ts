import { hub } from './hub.js';

/**
 * True if `error` came into the current greenlet from outside: by a kill or a Timeout that ended a call in
 * which it was parked, whatever the error's class. False for what an operation failed with, for the time limit
 * of a call's own `timeout` option, and for errors that were thrown into other greenlets.
 *
 * For code that cleans up behind somebody: who was interrupted wants to go on at once.
 */
export function wasInterrupted(error: unknown): boolean {
  return hub.current?.hasThrown(error) ?? false;
}
