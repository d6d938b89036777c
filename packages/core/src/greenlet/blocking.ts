/** blocking(): any object with promise-returning methods, minus the await. */
import { InvalidArgumentError } from '../errors.js';
import { wait } from './wait.js';

type BlockingFunction<F> = F extends (...args: infer A) => PromiseLike<infer R>
  ? (...args: A) => R
  : F;

/** `T` with every method that returns a promise returning its value. Overloads keep their last form. */
export type Blocking<T> = { [K in keyof T]: BlockingFunction<T[K]> };

/**
 * A view of `client` whose methods park the greenlet until their promise has settled, and return its
 * value. Everything else is as it was: other results, properties, `this`, errors.
 */
export function blocking<T extends object>(client: T): Blocking<T> {
  if (typeof client !== 'object' || client === null)
    throw new InvalidArgumentError('client', 'an object with promise-returning methods', client);
  const wrappers = new WeakMap<object, unknown>();
  return new Proxy(client, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== 'function' || key === 'constructor') return member;
      let wrapper = wrappers.get(member);
      if (!wrapper) {
        wrapper = (...args: unknown[]) => {
          const result: unknown = Reflect.apply(member, target, args);
          const then = (result as { then?: unknown } | null | undefined)?.then;
          return typeof then === 'function' ? wait(result as PromiseLike<unknown>) : result;
        };
        wrappers.set(member, wrapper);
      }
      return wrapper;
    },
  }) as Blocking<T>;
}
