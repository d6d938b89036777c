/** The bare class of futures; future.ts gives it its methods. */
import type { FutureConstructor, Future as FutureInstance } from './future-types.js';

// A function and no class, for those that inherit from it by util.inherits and Future.call(this).
function FutureFunction(): void {}
Object.defineProperty(FutureFunction, 'name', { value: 'Future' });

/** See {@link FutureConstructor}. */
export const Future = FutureFunction as unknown as FutureConstructor;
export type Future<T = unknown> = FutureInstance<T>;
