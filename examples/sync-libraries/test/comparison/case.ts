/** What a case is: how a user uses a library, in such a way that what comes of it can be compared. */
import { createHash } from 'node:crypto';

/**
 * What is synchronous but for some places, where it yields a promise: plain Node has to await it, a
 * greenlet parks.
 */
export type Steps = Generator<PromiseLike<unknown>, unknown, unknown>;

/** What is compared, of a function or of a generator of {@link Steps}. */
export type Result = Steps | unknown;

/**
 * A library in use. Every user has a folder of its own, and all share one; what is in them at the end
 * is compared, with what the users return.
 *
 * Users share only what is safe where no other runs between two lines of the library: what they would
 * break themselves, between two calls of theirs, is not the library's.
 */
export interface Case {
  /** Before the first user. */
  prepare?(shared: string): Result;
  user(user: number, own: string, shared: string): Result;
  /** After the last user: its result is compared too. */
  finish?(shared: string): Result;
}

/** By library. */
export type Cases = Record<string, Case>;

export function isSteps(result: Result): result is Steps {
  return Object.prototype.toString.call(result) === '[object Generator]';
}

/** The value of a promise, in a user's steps: `const text = yield* settled(promise)`. */
export function* settled<T>(promise: PromiseLike<T>): Generator<PromiseLike<unknown>, T, unknown> {
  return (yield promise) as T;
}

/** What a call returns, or all that its error says. */
export function attempt(call: () => unknown): unknown {
  try {
    return call() ?? null;
  } catch (error) {
    return { threw: described(error) };
  }
}

export function described(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  const { name, message, code, syscall } = error as NodeJS.ErrnoException;
  return { name, message, code, syscall };
}

export function hashOf(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * A text of about as many bytes that shows whether it is whole: for a file that every user writes,
 * and of which nobody knows who was last.
 */
export function sealed(user: number, bytes: number): string {
  const body = `user ${user} ${'.'.repeat(bytes)}`;
  return JSON.stringify({ body, seal: hashOf(body) });
}

export function isSealed(text: string): boolean {
  try {
    const { body, seal } = JSON.parse(text) as { body: string; seal: string };
    return hashOf(body) === seal;
  } catch {
    return false;
  }
}
