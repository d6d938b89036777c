/**
 * fibers/future, for `import`; future.cts is for `require`, where the module is the class itself.
 * @module
 */
export { Future as default } from './future-methods.js';
export type {
  Future,
  FutureConstructor,
  FutureFunction,
  FutureObject,
  FutureOrFutureArray,
  FutureResolveFunction,
} from './future-types.js';
