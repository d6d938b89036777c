/** Future.wrap: functions with a callback return futures. */
import { Future } from './future-class.js';

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

function wrapFunction(fn: AnyFunction, multi: unknown): AnyFunction {
  return function wrapped(this: unknown, ...args: unknown[]): Future {
    const future = new Future<unknown>();
    const resolver = future.resolver();
    const callback = multi
      ? (error: unknown, ...values: unknown[]) => resolver(error, values)
      : resolver;
    future._ = fn.apply(this, [...args, callback]);
    return future;
  };
}

function wrapMembers(object: object, multi: unknown, suffix: string, stop: boolean): object {
  const result = Object.create(object) as Record<string, unknown>;
  for (const name in object) {
    const member = result[name];
    if (member instanceof Function)
      result[name + suffix] = wrapAny(member as AnyFunction, multi, suffix, stop);
  }
  return result;
}

function wrapAny(value: unknown, multi: unknown, suffix: string, stop: boolean): unknown {
  if (typeof value === 'object') return wrapMembers(value as object, multi, suffix, stop);
  if (typeof value !== 'function') return undefined;
  const wrapped = wrapFunction(value as AnyFunction, multi);
  // The functions that a function has as properties are wrapped, too, one level deep: `request.get`.
  if (!stop) Object.setPrototypeOf(wrapped, wrapMembers(value, multi, suffix, true));
  return wrapped;
}

/** See FutureConstructor. */
export function wrap(value: unknown, multi?: unknown, suffix = 'Future', stop = false): unknown {
  return wrapAny(value, multi, suffix, stop);
}
