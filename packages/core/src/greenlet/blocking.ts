/** blocking(): any object with promise-returning methods, minus the await. */
import { types } from 'node:util';
import { InvalidArgumentError } from '../errors.js';
import type { Blocking } from './blocking-types.js';
import { wait } from './wait.js';

/** What {@link blocking} made of each object: always the same. */
const views = new WeakMap<object, object>();
/** And the objects behind. */
const clients = new WeakMap<object, object>();

/**
 * A view of `client` whose methods park the greenlet until their promise has settled, and return its
 * value. Everything else is as it was: other results, properties, `this`, private fields, errors.
 *
 * What a promise of it brings is blocking, too, when it is a client itself: an object of a class, of
 * the program or of a library, that has methods. So `blocking(pool).connect()` is a blocking client and
 * `blocking(fs.promises).open(path)` a blocking file. Plain objects, arrays, what the language itself
 * provides (Map, Date, Error, typed arrays) and Buffers are values, and come as they are. One object has
 * one view, so identity holds: among views, and given to a method of a view a view is the object itself.
 */
export function blocking<T extends object>(client: T): Blocking<T> {
  if ((typeof client !== 'object' && typeof client !== 'function') || client === null)
    throw new InvalidArgumentError('client', 'an object with promise-returning methods', client);
  if (clients.has(client)) return client as Blocking<T>;
  let view = views.get(client);
  if (!view) {
    view = makeView(client);
    views.set(client, view);
    clients.set(view, client);
  }
  return view as Blocking<T>;
}

type Method = (...args: unknown[]) => unknown;

function makeView(client: object): object {
  const wrappers = new WeakMap<object, Method>();
  return new Proxy(client, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== 'function' || key === 'constructor') return member;
      const own = Reflect.getOwnPropertyDescriptor(target, key);
      // A Proxy must give what cannot change as it is.
      if (own && !own.configurable && !own.writable && 'value' in own) return member;
      let wrapper = wrappers.get(member);
      if (!wrapper) {
        wrapper = wrap(target, member as Method);
        wrappers.set(member, wrapper);
      }
      return wrapper;
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });
}

function wrap(client: object, method: Method): Method {
  const wrapper = (...args: unknown[]) => {
    const result = Reflect.apply(method, client, args.map(behind));
    // Of methods that return `this` to be chained.
    if (result === client) return views.get(client);
    const then = (result as { then?: unknown } | null | undefined)?.then;
    if (typeof then !== 'function') return result;
    const value = wait(result as PromiseLike<unknown>);
    return isClient(value) ? blocking(value) : value;
  };
  return Object.defineProperty(wrapper, 'name', { value: method.name });
}

function behind(value: unknown): unknown {
  return (typeof value === 'object' && value !== null && clients.get(value)) || value;
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
