/** The public shapes of fibers/future, as @types/fibers names them. */
import type { Passed } from './types.js';

export type Untyped = Passed;

// biome-ignore lint/suspicious/noExplicitAny: error types are those of the callers
export type FutureResolveFunction<T> = (error: any, value: T) => void;
export type FutureOrFutureArray = Future<Passed> | readonly Future<Passed>[];

/** A function that returns a future of what `F` returns. */
export type FutureFunction<F, T = Passed> = F extends (...args: infer A) => infer R
  ? (...args: A) => Future<R>
  : (...args: Passed[]) => Future<T>;
/** `T`, and each of its functions once more under a name with the suffix. */
export type FutureObject<T> = T & Passed;

declare global {
  interface Function {
    /**
     * This function, run in a fiber of its own at each call, which gives a future of the result. With
     * `detach` an error that it throws goes to the event loop.
     */
    future<T = Passed>(detach?: boolean): FutureFunction<this, T>;
  }
}

export interface Future<T = Passed> {
  /**
   * The value; throws the error that the future was resolved with, whose stack then has the frames of
   * this call, too.
   * @throws Error while it is not resolved
   */
  get(): T;
  /** {@link get}, after it has waited for the result: in a Fiber, or in a greenlet of Tendril. */
  wait(): T;
  /** Resolves it with a value, and calls all that wait. @throws Error if it is resolved already */
  return(value?: T): void;
  /** Resolves it with an error. @throws Error if it is resolved already, or `error` is falsy */
  throw(error: unknown): void;
  /** Lets an error go to the event loop, as an uncaught exception. */
  detach(): void;
  isResolved(): boolean;
  /** A callback in Node's style that resolves the future. */
  resolver(): FutureResolveFunction<T>;
  /** Calls `callback(error, value)` once it is resolved, at once if it is already. */
  resolve(callback: FutureResolveFunction<T>): this;
  /** Calls `callback(value)` once it has a value; an error is thrown into `future`. */
  resolve(future: Future<Passed>, callback: (value: T) => void): this;
  /** Calls `callback(value)` once it has a value; does nothing with an error. */
  resolveSuccess(callback: (value: T) => void): this;
  /** Resolves `future` with the result of this one. */
  proxy(future: Future<T>): void;
  /** Passes an error on to one or several futures. */
  proxyErrors(futures: FutureOrFutureArray): this;
  promise(): Promise<T>;
  /** What a function wrapped by `Future.wrap` has returned itself. */
  _?: Passed;
}

export interface FutureConstructor {
  new <T = Passed>(): Future<T>;
  readonly prototype: Future;
  /**
   * Makes functions with a callback return futures. Of an object: a new one that inherits from it and
   * has each function once more, with `suffix` (default "Future") at its name. With `multi` the value is
   * an array of all that the callback gets after the error.
   */
  wrap<F extends (...args: never[]) => unknown>(
    fn: F,
    multi?: boolean,
    suffix?: string,
  ): FutureFunction<F>;
  wrap<O extends object>(object: O, multi?: boolean, suffix?: string): FutureObject<O>;
  /** Runs `fn` in a fiber; several functions give an array of their values, or the last error. */
  task<T = Passed>(fn: () => T): Future<T>;
  task<T = Passed>(...fns: (() => T)[]): Future<T[]>;
  /**
   * Waits until all of them are resolved, and throws none of their errors.
   * @throws Error where there is neither a fiber nor a greenlet, or for anything that is no future
   */
  wait(...futures: FutureOrFutureArray[]): void;
  fromPromise<R>(promise: PromiseLike<R>): Future<R>;
}
