/**
 * Descriptors that are closed while others are at them. The system gives their numbers out again at once: who still
 * waits in line with one would read or write somebody else's file, and so would a thread that has not begun yet.
 * Those in line are told that it is closed; and while a thread is at it, its number is kept.
 */
import type { NodeFunction } from '../registry.js';
import { refusedInLine, refuseInLine } from './turns.js';

/** One that no process has: of it the originals say, in their own words, what they say of one that is closed. */
const nobodys = 2 ** 31 - 1;

/** How many are at each: threads for parked calls, and calls that take several steps. */
const busy = new Map<number, number>();
/** Closed, as far as the program can see. What is to be done when nobody is at them any more. */
const closing = new Map<number, () => void>();

/** Somebody begins to work on it. Returns how that ends. */
export function occupy(fd: number): () => void {
  busy.set(fd, (busy.get(fd) ?? 0) + 1);
  return () => {
    const left = (busy.get(fd) ?? 0) - 1;
    if (left > 0) {
      busy.set(fd, left);
      return;
    }
    busy.delete(fd);
    const close = closing.get(fd);
    closing.delete(fd);
    try {
      close?.();
    } catch {
      // who has closed it has gone on
    }
  };
}

export function occupied<T>(fd: number, work: () => T): T {
  const end = occupy(fd);
  try {
    return work();
  } finally {
    end();
  }
}

export function isClosed(fd: unknown): boolean {
  return closing.size > 0 && closing.has(fd as number);
}

/** The original, of a descriptor that is closed: it throws. */
export function ofClosed(original: NodeFunction, args: readonly unknown[]): unknown {
  return original(nobodys, ...args.slice(1));
}

/** Calls `work`; `instead` if that was refused while it waited in line, for its descriptor has been closed. */
export function unlessClosed<T>(work: () => T, instead: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error !== refusedInLine) throw error;
    return instead();
  }
}

/** Whether it is left to who is at it to close a descriptor, when he has ended. */
function isLeft(fd: number, close: () => void): boolean {
  if (!busy.has(fd)) return false;
  closing.set(fd, close);
  refuseInLine(fd);
  return true;
}

/** closeSync, of its original. */
export function closingOf(original: NodeFunction): NodeFunction {
  return (fd, ...rest) => {
    if (isLeft(fd as number, () => original(fd))) return;
    original(fd, ...rest);
    refuseInLine(fd as number);
  };
}

/** close, of its original: `(fd, done)`. */
export function closingLaterOf(original: NodeFunction): NodeFunction {
  return (fd, done) => {
    const end = done as NodeFunction;
    if (isLeft(fd as number, () => original(fd, () => {}))) process.nextTick(end, null);
    else
      original(fd, (error: unknown) => {
        if (!error) refuseInLine(fd as number);
        end(error);
      });
  };
}
