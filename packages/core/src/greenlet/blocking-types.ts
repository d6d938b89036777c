/** The types of blocking(): every method without its promise, in all its overloads. */

// biome-ignore lint/suspicious/noExplicitAny: stands for any function, whatever it takes
type AnyFunction = (...args: any) => any;

/** What comes as it is: values, and what the language or the platform provides. */
type Value =
  | AnyFunction
  | Error
  | Date
  | RegExp
  | ArrayBuffer
  | ArrayBufferView
  | readonly unknown[]
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | WeakMap<WeakKey, unknown>
  | WeakSet<WeakKey>
  | PromiseLike<unknown>
  | Response
  | Request
  | Blob;

type IsAny<T> = 0 extends 1 & T ? true : false;

/** Of all overloads of a function, as far as eight. */
type Results<F> = F extends {
  (...args: never): infer R1;
  (...args: never): infer R2;
  (...args: never): infer R3;
  (...args: never): infer R4;
  (...args: never): infer R5;
  (...args: never): infer R6;
  (...args: never): infer R7;
  (...args: never): infer R8;
}
  ?
      | IsPromise<R1>
      | IsPromise<R2>
      | IsPromise<R3>
      | IsPromise<R4>
      | IsPromise<R5>
      | IsPromise<R6>
      | IsPromise<R7>
      | IsPromise<R8>
  : false;

type IsPromise<R> =
  IsAny<R> extends true
    ? false
    : [R] extends [PromiseLike<unknown>]
      ? [R] extends [never]
        ? false
        : true
      : false;

/** True of a type with a method that returns a promise. */
type HasPromises<T> = true extends { [K in keyof T]: Results<T[K]> }[keyof T] ? true : false;

/** What a promise of a client brings: blocking itself if it is a client, an object with methods that return promises. */
export type BlockingResult<R> =
  IsAny<R> extends true
    ? R
    : R extends object
      ? R extends Value
        ? R
        : HasPromises<R> extends true
          ? Blocking<R>
          : R
      : R;

// biome-ignore lint/suspicious/noExplicitAny: takes the place of a type parameter
type Anything = any;

/** A type parameter of a method is lost on the way; what depended on it alone has become `never`. */
type IsLost<T> = [Exclude<T, undefined>] extends [never] ? true : false;

type HasLost<T> = true extends { [K in keyof T]-?: IsLost<T[K]> }[keyof T] ? true : false;

/** It takes anything there, as an argument and as a property of one (`values` of pg's QueryConfig). */
type Argument<T> =
  IsAny<T> extends true
    ? T
    : IsLost<T> extends true
      ? Anything
      : T extends object
        ? T extends Value
          ? T
          : HasLost<T> extends true
            ? { [K in keyof T]: IsLost<T[K]> extends true ? Anything : T[K] }
            : T
        : T;

type Arguments<A extends unknown[]> = { [I in keyof A]: Argument<A[I]> };

type Returns<R> =
  IsAny<R> extends true
    ? R
    : R extends PromiseLike<infer V>
      ? BlockingResult<V>
      : R extends AsyncIterableIterator<unknown> | AsyncIterator<unknown>
        ? R extends AsyncIterable<unknown>
          ? Blocking<R>
          : R
        : R;

/** Not for each of several lists: `next(...[value]: [] | [T])` is one signature. */
type Signature<A, R> = [A] extends [infer L extends unknown[]]
  ? unknown[] extends L
    ? unknown extends R
      ? unknown
      : (...args: Arguments<L>) => Returns<R>
    : (...args: Arguments<L>) => Returns<R>
  : unknown;

/** Eight overloads; those that a function does not have add nothing. */
type Overloads<F> = F extends {
  (...args: infer A1): infer R1;
  (...args: infer A2): infer R2;
  (...args: infer A3): infer R3;
  (...args: infer A4): infer R4;
  (...args: infer A5): infer R5;
  (...args: infer A6): infer R6;
  (...args: infer A7): infer R7;
  (...args: infer A8): infer R8;
}
  ? Signature<A1, R1> &
      Signature<A2, R2> &
      Signature<A3, R3> &
      Signature<A4, R4> &
      Signature<A5, R5> &
      Signature<A6, R6> &
      Signature<A7, R7> &
      Signature<A8, R8>
  : never;

type Calls<T> = T extends (...args: never) => unknown ? Overloads<T> : unknown;

/** What `new` gives is blocking, as the last of the constructor's overloads has it. */
type Constructs<T> = T extends new (
  ...args: infer A
) => infer I
  ? new (
      ...args: A
    ) => I extends object ? Blocking<I> : I
  : unknown;

type Iterates<T> =
  T extends AsyncIterable<infer V>
    ? T extends Iterable<unknown>
      ? unknown
      : Iterable<BlockingResult<V>>
    : unknown;

/** What `await` and `for await` call stays as it is. */
type Member<K, M> = K extends 'then' | typeof Symbol.asyncIterator
  ? M
  : M extends (...args: never) => unknown
    ? Overloads<M>
    : M;

/**
 * `T` with every method that returns a promise returning its value. All overloads are kept (the last
 * eight of more), `this` is the client's, and what is a client itself is Blocking, too. A function's own
 * calls and a class's `new` likewise; an async iterable is iterable.
 */
export type Blocking<T> = { [K in keyof T]: Member<K, T[K]> } & Calls<T> &
  Constructs<T> &
  Iterates<T>;
