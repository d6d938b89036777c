/** Errors that nobody catches, in greenlets that stand for what runs outside greenlets in plain Node. */
import { getHub, isExit } from '../index.js';

/**
 * Makes an error the uncaught exception that it would be without a greenlet: Node's own report with
 * the line that threw it, `process.on('uncaughtException')`, exit code 1. No greenlet goes on before
 * that. An exit is no error.
 *
 * From a microtask, as Node says of an error from there where it was made, and of one from everywhere
 * else where it was thrown last: here.
 */
export function uncaught(error: unknown): void {
  if (isExit(error)) return;
  getHub().endTurn();
  queueMicrotask(() => {
    throw error;
  });
}
