/** `require('@tendril/fibers/future')` is the class itself. */
import lib = require('./future-methods.js');
import type types = require('./future-types.js');

const Future = lib.Future;
type Future<T = types.Untyped> = types.Future<T>;
declare namespace Future {
  type FutureConstructor = types.FutureConstructor;
  type FutureFunction<F, T = types.Untyped> = types.FutureFunction<F, T>;
  type FutureObject<T> = types.FutureObject<T>;
  type FutureOrFutureArray = types.FutureOrFutureArray;
  type FutureResolveFunction<T> = types.FutureResolveFunction<T>;
}

export = Future;
