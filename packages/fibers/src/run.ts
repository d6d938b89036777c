/** One run of a Fiber's function, from its start to its end: a Fiber may be run again after that. */
import { Coroutine } from '@tendril/core/coroutine';
import { FiberError, type FiberOptions } from '@tendril/fiber';
import type { Fiber } from './types.js';

export class Run extends Coroutine {
  readonly handle: Fiber;
  /** Set from the moment on in which the stack is unwound; each yield throws it. */
  zombie: Error | undefined = undefined;

  constructor(handle: Fiber, fn: (...args: never[]) => unknown, options?: FiberOptions) {
    super(bodyOf(fn), options);
    this.handle = handle;
  }

  override onLateError(error: unknown): void {
    if (error !== this.zombie) throwToLoop(error);
  }
}

/** What node-fibers leaves to the event loop: an error with no run() to come out of. */
export function throwToLoop(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}

/**
 * The zombie error of the stack that is unwound because nobody could resume it. Its Fiber object is
 * gone, so that this is all that is known of it.
 */
let orphan: Error | undefined;

/** The error that every yield has to throw now, if this is the stack of a zombie. */
export function currentZombie(): Error | undefined {
  const current = Coroutine.current;
  return current instanceof Run ? current.zombie : orphan;
}

// Here, and not in the constructor: the body must not share a scope with the Run (see Coroutine).
function bodyOf(fn: (...args: never[]) => unknown): (args?: unknown) => unknown {
  return (args) => {
    try {
      return Reflect.apply(fn, globalThis, args as never[]);
    } catch (error) {
      // Outside all fibers stands the end of a stack that was unwound.
      if (error === orphan && !Coroutine.current) return undefined;
      throw error;
    } finally {
      if (!Coroutine.current) orphan = undefined;
    }
  };
}

/** Turns the engine's error for a stack that nobody can resume into node-fibers' own. */
export function asZombie(error: unknown): unknown {
  if (!(error instanceof FiberError && error.code === 'ERR_FIBER_UNWOUND')) return error;
  orphan = zombieError();
  return orphan;
}

export function zombieError(): Error {
  return new Error('This Fiber is a zombie');
}
