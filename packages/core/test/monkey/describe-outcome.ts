/** Results and errors as plain values: two are alike when these are deeply equal, and a diff is readable. */

/** What no two calls have in common. */
const fleeting = /time|^ino$/i;

const numbers = new WeakMap<object, number>();
let count = 0;

/** Tells prototypes of the same name apart. */
function nameOf(prototype: object | null): string {
  if (prototype === null) return 'null';
  if (!numbers.has(prototype)) numbers.set(prototype, ++count);
  return `${prototype.constructor?.name}#${numbers.get(prototype)}`;
}

/** A result: its values, own properties and prototypes, without the times and numbers of files. */
export function describeValue(value: unknown, seen: readonly unknown[] = []): unknown {
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value !== 'object' || value === null) return value;
  if (seen.includes(value)) return `circular, ${seen.length - seen.indexOf(value)} up`;
  const inside = [...seen, value];
  const is = nameOf(Object.getPrototypeOf(value));
  if (value instanceof Date) return { is, time: value.getTime() };
  if (value instanceof Error) return { is, error: describeError(value) };
  if (value instanceof ArrayBuffer) return { is, bytes: Buffer.from(value).toString('hex') };
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex');
    return { is, bytes, own: Buffer.isBuffer(value) ? describeOwn(value, inside, /^\d+$/) : {} };
  }
  if (Array.isArray(value)) return { is, items: value.map((item) => describeValue(item, inside)) };
  if (value instanceof Map || value instanceof Set)
    return { is, items: [...value].map((item) => describeValue(item, inside)) };
  const times = 'mtimeMs' in value && 'ino' in value;
  return { is, own: describeOwn(value, inside, times ? fleeting : undefined) };
}

function describeOwn(value: object, seen: readonly unknown[], except?: RegExp): object {
  const own: Record<string, unknown> = {};
  for (const key of Reflect.ownKeys(value)) {
    const name = String(key);
    if (except?.test(name)) continue;
    const descriptor = Object.getOwnPropertyDescriptor(value, key);
    own[name] = descriptor?.get ? 'accessor' : describeValue(descriptor?.value, seen);
  }
  return own;
}

/** An error: class, message and own properties, and whether its stack names the file of its caller. */
export function describeError(error: unknown, file?: string): object {
  if (!(error instanceof Error)) return { thrown: describeValue(error) };
  const { name, message, stack = '' } = error;
  const own: Record<string, unknown> = {};
  for (const key of Object.keys(error))
    own[key] = describeValue((error as unknown as Record<string, unknown>)[key]);
  // Node's own classes of errors that call themselves Error cannot be told apart by their users.
  const is = nameOf(error.constructor.prototype);
  const [head = ''] = stack.split(/\n {4}at /);
  return { is, name, message, own, head, namesCaller: file ? stack.includes(file) : undefined };
}
