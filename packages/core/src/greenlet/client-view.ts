/** The Proxy behind blocking(). */
import { inspect } from 'node:util';

export type Callable = (...args: unknown[]) => unknown;

/** What a view needs of blocking(). */
export interface Ties {
  blocking(client: object): object;
  /** Calls, parks, and makes what comes of it blocking where that is due. */
  call(method: Callable, self: unknown, args: unknown[]): unknown;
  construct(made: Callable, args: unknown[], target: Callable): object;
  /** The outcome of a promise, any other value as it is; blocking where that is due. */
  settled(result: unknown): unknown;
}

/** Of a function that is a view they have to act on the view. */
const ofFunctions = new Set<unknown>([
  Function.prototype.apply,
  Function.prototype.bind,
  Function.prototype.call,
]);

/**
 * Shows a client, or a function `member` of one.
 *
 * A Proxy has to give what cannot change in its target as it is. So its target is not the client but a shadow
 * of the same kind, which gets what cannot change only when somebody asks for that, and as the view shows it:
 * thus methods of frozen clients park, too. A shadow that nobody asks is empty.
 */
export class ClientView implements ProxyHandler<object> {
  readonly #ties: Ties;
  /** What is shown. */
  readonly #client: object;
  /** `this` for a function that is a member; undefined for a view that stands alone. */
  readonly #self: object | undefined;
  #view: object | undefined = undefined;
  /** Calls the client, by its name: errors tell from the trace which call of a client was made. */
  readonly #call: ((self: unknown, args: unknown[]) => unknown) | undefined;
  /** What is shown of its members, by the functions that they are: always the same. */
  #members: WeakMap<Callable, object> | undefined = undefined;
  #bound: WeakMap<Callable, Callable> | undefined = undefined;

  private constructor(client: object, ties: Ties, self?: object) {
    this.#client = client;
    this.#ties = ties;
    this.#self = self;
    if (typeof client !== 'function') return;
    const call = (self: unknown, args: unknown[]) => ties.call(client as Callable, self, args);
    this.#call = Object.defineProperty(call, 'name', { value: client.name });
  }

  static of(client: object, ties: Ties, self?: object): object {
    const handler = new ClientView(client, ties, self);
    handler.#view = new Proxy(shadowOf(client), handler);
    return handler.#view;
  }

  apply(_shadow: object, self: unknown, args: unknown[]): unknown {
    const call = this.#call; // without a `this`, whose class would be part of its name
    return call?.(this.#self ?? self, args);
  }

  construct(_shadow: object, args: unknown[], target: object): object {
    const client = this.#client as Callable;
    // A class that extends the view sets up an object of its own, private fields and all.
    if (target !== this.#view) return this.#ties.construct(client, args, target as Callable);
    return this.#ties.blocking(this.#ties.construct(client, args, client));
  }

  get(_shadow: object, key: PropertyKey): unknown {
    const client = this.#client;
    const member: unknown = Reflect.get(client, key, client);
    if (typeof member === 'function') return this.#shown(key, member as Callable);
    if (key === Symbol.iterator && isAsyncIterable(client)) return () => this.#iterate(client);
    return member;
  }

  set(_shadow: object, key: PropertyKey, value: unknown, receiver: unknown): boolean {
    return Reflect.set(this.#client, key, value, receiver === this.#view ? this.#client : receiver);
  }

  #shown(key: PropertyKey, member: Callable): unknown {
    if (key === 'constructor' || ofFunctions.has(member)) return member;
    // For `await` and `for await`, which know what to do with a promise.
    if (key === 'then' || key === Symbol.asyncIterator) {
      this.#bound ??= new WeakMap();
      return known(this.#bound, member, () => member.bind(this.#client));
    }
    this.#members ??= new WeakMap();
    return known(this.#members, member, () => ClientView.of(member, this.#ties, this.#client));
  }

  *#iterate(client: AsyncIterable<unknown>): Generator<unknown, void, undefined> {
    const iterator = client[Symbol.asyncIterator]();
    let over = true;
    try {
      for (;;) {
        const step = this.#ties.settled(iterator.next()) as IteratorResult<unknown>;
        if (step.done) return;
        over = false;
        yield step.value;
        over = true;
      }
    } finally {
      // Left in the middle.
      if (!over) this.#ties.settled(iterator.return?.());
    }
  }

  // ------------------------------------------------------------- as the client has it

  has(shadow: object, key: PropertyKey): boolean {
    this.#mirror(shadow, key);
    const more = key === Symbol.iterator && isAsyncIterable(this.#client);
    return Reflect.has(this.#client, key) || (more && Reflect.isExtensible(shadow));
  }

  deleteProperty(shadow: object, key: PropertyKey): boolean {
    const deleted = Reflect.deleteProperty(this.#client, key);
    this.#mirror(shadow, key);
    return deleted;
  }

  defineProperty(shadow: object, key: PropertyKey, property: PropertyDescriptor): boolean {
    const fixed = property.configurable === false;
    // It would have to be shown as it is, and could not park.
    if (fixed && typeof property.value === 'function' && !property.writable) return false;
    const defined = Reflect.defineProperty(this.#client, key, property);
    if (defined && (fixed || !Reflect.isExtensible(shadow))) this.#mirror(shadow, key);
    return defined;
  }

  getOwnPropertyDescriptor(shadow: object, key: PropertyKey): PropertyDescriptor | undefined {
    return this.#mirror(shadow, key);
  }

  ownKeys(shadow: object): (string | symbol)[] {
    if (!Reflect.isExtensible(this.#client)) this.#close(shadow);
    return Reflect.ownKeys(this.#client);
  }

  getPrototypeOf(): object | null {
    return Reflect.getPrototypeOf(this.#client);
  }

  setPrototypeOf(_shadow: object, proto: object | null): boolean {
    return Reflect.setPrototypeOf(this.#client, proto);
  }

  isExtensible(shadow: object): boolean {
    if (Reflect.isExtensible(this.#client)) return true;
    this.#close(shadow);
    return false;
  }

  preventExtensions(shadow: object): boolean {
    if (!Reflect.preventExtensions(this.#client)) return false;
    this.#close(shadow);
    return true;
  }

  /** Has a property that cannot change in the shadow, too, and returns it as it is shown. */
  #mirror(shadow: object, key: PropertyKey): PropertyDescriptor | undefined {
    const property = Reflect.getOwnPropertyDescriptor(this.#client, key);
    if (!property) {
      Reflect.deleteProperty(shadow, key);
      return undefined;
    }
    const { value } = property;
    if (typeof value === 'function') property.value = this.#shown(key, value as Callable);
    if (!property.configurable || !Reflect.isExtensible(shadow))
      Reflect.defineProperty(shadow, key, property);
    return property;
  }

  /** The client takes no more properties: then the shadow has the very same ones, and takes no more either. */
  #close(shadow: object): void {
    const keys = Reflect.ownKeys(this.#client);
    const known = new Set<PropertyKey>(keys);
    for (const key of Reflect.ownKeys(shadow))
      if (!known.has(key)) Reflect.deleteProperty(shadow, key);
    for (const key of keys) {
      const property = this.#mirror(shadow, key);
      if (property) Reflect.defineProperty(shadow, key, property);
    }
    if (!Reflect.isExtensible(shadow)) return;
    Reflect.setPrototypeOf(shadow, Reflect.getPrototypeOf(this.#client));
    Reflect.preventExtensions(shadow);
  }
}

function known<K extends object, V>(all: WeakMap<K, V>, key: K, make: () => V): V {
  let value = all.get(key);
  if (value === undefined) {
    value = make();
    all.set(key, value);
  }
  return value;
}

/** `inspect` looks through a Proxy at its target: it is sent on to the client. */
function shadowOf(client: object): object {
  // A bound class can be called and constructed, and has no property that cannot be taken away.
  const shadow =
    typeof client === 'function' ? Object.bind(undefined) : Array.isArray(client) ? [] : {};
  return Object.defineProperty(shadow, inspect.custom, { value: () => client, configurable: true });
}

function isAsyncIterable(client: object): client is AsyncIterable<unknown> {
  return typeof (client as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === 'function';
}
