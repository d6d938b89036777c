/**
 * Errors on their way between threads. A structured clone of an error loses its code, its other properties
 * and its name, and one that has a function somewhere is no clone at all: so errors travel as plain objects,
 * with what can be cloned of them. Whatever else is thrown travels as it is.
 */

interface SentError {
  /** The nearest class that the other side has, too. */
  base: string;
  name: string;
  message: string;
  stack: string | undefined;
  /** Its own properties, `cause` and `errors` among them: key, value, and whether it is enumerable. */
  own: [key: string, value: Sent, enumerable: boolean][];
}

export type Sent = { error: SentError } | { list: Sent[] } | { value: unknown };

type ErrorClass = new (message?: string) => Error;

const classes = new Map<string, ErrorClass>(
  Object.entries({
    Error,
    EvalError,
    RangeError,
    ReferenceError,
    SyntaxError,
    TypeError,
    URIError,
  }),
);

function baseOf(error: Error): string {
  if (error instanceof DOMException) return 'DOMException';
  if (error instanceof AggregateError) return 'AggregateError';
  let proto: unknown = Reflect.getPrototypeOf(error);
  for (; proto; proto = Reflect.getPrototypeOf(proto as object))
    for (const [name, { prototype }] of classes) if (proto === prototype) return name;
  return 'Error';
}

/** What cannot be read of it, because a getter throws, is not there. */
function read(error: object, key: string): unknown {
  try {
    return (error as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** `seen`: an error that is its own cause is one object again on the other side. */
function packError(error: Error, seen: Map<unknown, Sent>): Sent {
  const sent: SentError = {
    base: baseOf(error),
    name: text(read(error, 'name')),
    message: text(read(error, 'message')),
    stack: text(read(error, 'stack')) || undefined,
    own: [],
  };
  const packed: Sent = { error: sent };
  seen.set(error, packed);
  for (const key of Object.getOwnPropertyNames(error)) {
    if (key === 'message' || key === 'stack') continue;
    const enumerable = Object.prototype.propertyIsEnumerable.call(error, key);
    const value = pack(read(error, key), seen);
    if (value) sent.own.push([key, value, enumerable]);
  }
  return packed;
}

function pack(value: unknown, seen: Map<unknown, Sent>): Sent | undefined {
  const known = seen.get(value);
  if (known) return known;
  if (value instanceof Error) return packError(value, seen);
  if (Array.isArray(value) && value.some((one) => one instanceof Error)) {
    const list: Sent[] = [];
    const packed: Sent = { list };
    seen.set(value, packed);
    for (const one of value) list.push(pack(one, seen) ?? { value: undefined });
    return packed;
  }
  return isCloneable(value) ? { value } : undefined;
}

function isCloneable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null)
    return typeof value !== 'function' && typeof value !== 'symbol';
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

/** What was thrown, to be sent; undefined if that cannot be. An error always can, whatever is on it. */
export function packThrown(thrown: unknown): Sent | undefined {
  return pack(thrown, new Map());
}

function make({ base, message, name }: SentError): Error {
  if (base === 'DOMException') return new DOMException(message, name);
  if (base === 'AggregateError') return new AggregateError([], message);
  return new (classes.get(base) ?? Error)(message);
}

/** The other way round. */
export function unpackThrown(sent: Sent, seen = new Map<Sent, unknown>()): unknown {
  if ('value' in sent) return sent.value;
  if (seen.has(sent)) return seen.get(sent);
  if ('list' in sent) {
    const list: unknown[] = [];
    seen.set(sent, list);
    for (const one of sent.list) list.push(unpackThrown(one, seen));
    return list;
  }
  const error = make(sent.error);
  seen.set(sent, error);
  const define = (key: string, value: unknown, enumerable: boolean) =>
    Reflect.defineProperty(error, key, { value, enumerable, writable: true, configurable: true });
  const { name, stack, own } = sent.error;
  if (error.name !== name) define('name', name, false);
  define('stack', stack, false);
  for (const [key, value, enumerable] of own) define(key, unpackThrown(value, seen), enumerable);
  return error;
}
