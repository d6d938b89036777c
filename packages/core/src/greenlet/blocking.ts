/** blocking(): any object with promise-returning methods, minus the await. */
import { types } from 'node:util';
import { InvalidArgumentError } from '../errors.js';
import type { Blocking } from './blocking-types.js';
import { ClientView, type Ties } from './client-view.js';
import { thenOf } from './thenable.js';
import { settled } from './wait.js';

/** What {@link blocking} made of each object: always the same. */
const views = new WeakMap<object, object>();
/** And the objects behind. */
const clients = new WeakMap<object, object>();

/**
 * A view of `client` whose methods park the greenlet until their promise has settled, and return its
 * value. Everything else is as it was: other results, properties, `this`, private fields, errors.
 *
 * A client may be a function, with methods or without: its calls park, too. Of a class `new` gives a
 * blocking object, and its static methods park; what a class of yours that extends the view makes is an
 * object as any other, to be given to `blocking()`.
 *
 * What a promise of it brings is blocking, too, when it is a client itself: an object of a class, of
 * the program or of a library, that has methods. So `blocking(pool).connect()` is a blocking client and
 * `blocking(fs.promises).open(path)` a blocking file. Plain objects, arrays, what the language itself
 * provides (Map, Date, Error, typed arrays) and Buffers are values, and come as they are. One object has
 * one view, so identity holds: among views, and given to a method of a view a view is the object itself.
 *
 * An async iterator that a method returns is blocking, too: its `next()` parks, and `for … of` goes
 * through it, as through a client that is async iterable. `for await` works as ever.
 */
export function blocking<T extends object>(client: T): Blocking<T> {
  if ((typeof client !== 'object' && typeof client !== 'function') || client === null)
    throw new InvalidArgumentError('client', 'an object with promise-returning methods', client);
  if (clients.has(client)) return client as Blocking<T>;
  let view = views.get(client);
  if (!view) {
    view = ClientView.of(client, ties);
    views.set(client, view);
    clients.set(view, client);
  }
  return view as Blocking<T>;
}

const ties: Ties = {
  blocking,

  call(method, self, args) {
    const object = behind(self);
    const result: unknown = Reflect.apply(method, object, args.map(behind));
    // Of methods that return `this`, and functions that return themselves, to be chained.
    if (result === object || result === method) return views.get(result as object) ?? result;
    return ties.settled(result);
  },

  construct(made, args, target) {
    return Reflect.construct(made, args.map(behind), target) as object;
  },

  settled(result) {
    const then = thenOf(result);
    if (then) {
      const value: unknown = settled(result, then);
      return isClient(value) ? blocking(value) : value;
    }
    return isAsyncIterator(result) ? blocking(result) : result;
  },
};

function behind(value: unknown): unknown {
  if (typeof value === 'object' ? value === null : typeof value !== 'function') return value;
  return clients.get(value as object) ?? value;
}

/** Not streams, which are iterable and much else: who gets one pipes it, or hands it on. */
function isAsyncIterator(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || clients.has(value)) return false;
  const { next, [Symbol.asyncIterator]: iterate } = value as Partial<
    AsyncIterableIterator<unknown>
  >;
  return typeof next === 'function' && typeof iterate === 'function';
}

/** Classes that the language and the platform provide as globals. */
const languages = new Set<unknown>(
  Object.getOwnPropertyNames(globalThis)
    .map((name) => Reflect.getOwnPropertyDescriptor(globalThis, name)?.value as unknown)
    .filter((value) => typeof value === 'function'),
);

/** An object of a class that is neither the language's nor a container of bytes, and has a method. */
function isClient(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || types.isProxy(value)) return false;
  if (Array.isArray(value) || ArrayBuffer.isView(value) || value instanceof Error) return false;
  for (let proto = Reflect.getPrototypeOf(value); proto; proto = Reflect.getPrototypeOf(proto)) {
    if (proto === Object.prototype) return false;
    if (languages.has(proto.constructor)) return false;
    for (const key of Reflect.ownKeys(proto)) {
      const member = Reflect.getOwnPropertyDescriptor(proto, key);
      if (key !== 'constructor' && typeof member?.value === 'function') return true;
    }
  }
  return false;
}
