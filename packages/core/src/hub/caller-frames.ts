/**
 * Errors that end a park show who parked.
 *
 * An error of the event loop was made in a callback: its trace ends in Node's insides, or is empty, and
 * says nothing of the call that failed. It gets the frames of the greenlet that it is thrown in, after
 * those of the place where it was made. This costs something only where something has failed.
 */

import { isOwnFrame, limitTraces } from '../own-code.js';

const frame = /\n {4}at /;
/** Frames of ours that may stand between a park and the code that called. */
const ownFrames = 12;

function isMachinery(line: string): boolean {
  return line.includes('(node:') || line.startsWith('node:') || isOwnFrame(line);
}

/** Without the column: a call and its argument stand on one line. */
function position(line: string): string {
  return line.replace(/:\d+\)?$/, '');
}

/** Each gets one caller, its first: one error may be thrown in many greenlets, and pass from one to another. */
const told = new WeakSet<object>();

/**
 * Appends the frames of the caller of `above` to the trace of `error`, and returns `error`. Of its own
 * trace the first line stays, and all that is not Node's or core's way to the callback. Left as they
 * are: what is no Error, what is frozen, what was made on this very stack, and errors that have been
 * through a park before.
 */
export function withCaller(error: unknown, above: (...args: never[]) => unknown): unknown {
  if (!(error instanceof Error) || told.has(error) || !Object.isExtensible(error)) return error;
  const limit = Error.stackTraceLimit;
  if (!(limit > 0)) return error;
  told.add(error);
  const here: { stack?: unknown } = {};
  try {
    limitTraces(limit + ownFrames);
    Error.captureStackTrace(here, above);
    limitTraces(limit);
    // Whoever has set Error.prepareStackTrace may have made something else of it.
    if (typeof error.stack === 'string' && typeof here.stack === 'string')
      error.stack = join(error.stack, error.message, here.stack, limit);
  } catch {
    limitTraces(limit);
    // A `stack` that cannot be read or set.
  }
  return error;
}

function join(stack: string, message: string, here: string, limit: number): string {
  const [, ...caller] = here.split(frame);
  const outside = caller.filter((line) => !isOwnFrame(line));
  // The message may have lines like those of a trace.
  const begin = Math.max(0, stack.indexOf(message)) + message.length;
  const at = stack.slice(begin).search(frame);
  const head = at < 0 ? stack : stack.slice(0, begin + at);
  const made =
    at < 0
      ? []
      : stack
          .slice(begin + at)
          .split(frame)
          .slice(1);
  const inCallback = made.at(-1)?.includes('node:') ?? true;
  while (made.length > 1 && isMachinery(made.at(-1) as string)) made.pop();
  if (!inCallback) {
    const outermost = position(made.at(-1) as string);
    if (outside.some((line) => position(line) === outermost)) return stack;
  }
  const frames = [...made, ...(outside.length > 0 ? outside : caller).slice(0, limit)];
  return [head, ...frames].join('\n    at ');
}
