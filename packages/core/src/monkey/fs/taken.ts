/**
 * What a call has taken at its moment: where it is, whatever becomes of the process's directory meanwhile, and
 * copies of what its caller may change.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { copyOf } from './buffers.js';

/** The process's directory; undefined if it has been removed. */
export function here(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

/** A path as text, of a string or URL. */
export function toPath(value: unknown): string | undefined {
  if (value instanceof URL && value.protocol === 'file:') return fileURLToPath(value);
  return typeof value === 'string' ? value : undefined;
}

/** The absolute path of an argument; undefined for a descriptor, and for what is no path. */
export function absolute(value: unknown): string | undefined {
  if (typeof value === 'string') return isWhole(value) ? whole(value) : joined(value);
  if (Buffer.isBuffer(value)) return absolute(value.toString());
  if (!(value instanceof URL) || value.protocol !== 'file:') return undefined;
  try {
    return fileURLToPath(value);
  } catch {
    return undefined;
  }
}

/** In the form in which it was given, so that names stay bytes where they are bytes. */
export function absoluteLike(value: unknown): unknown {
  if (typeof value === 'string') return isWhole(value) ? value : (joined(value) ?? value);
  if (!Buffer.isBuffer(value)) return value;
  const home = isWhole(value.toString('latin1')) ? undefined : here();
  return Buffer.concat([Buffer.from(home === undefined ? '' : `${home}/`), value]);
}

/** Not path.resolve(): `link/` and `link/..` are not what they would be without. */
function joined(name: string): string | undefined {
  const home = here();
  return home === undefined ? undefined : `${home}/${name}`;
}

/** Nothing in front of it changes what it is: empty and wrong ones are left to be refused. */
function isWhole(name: string): boolean {
  return name === '' || name.startsWith('/') || name.includes('\0');
}

function whole(name: string): string | undefined {
  return name === '' || name.includes('\0') ? undefined : name;
}

/**
 * The arguments as they are now: with absolute paths, and with copies of options, dates and bytes that go out.
 *
 * @param paths the numbers of those that are paths
 * @param bytes the number of what goes out
 */
export function takenArguments(
  args: readonly unknown[],
  paths: readonly number[],
  bytes: number | undefined,
): unknown[] {
  return args.map((value, at) => {
    if (paths.includes(at)) return absoluteLike(value);
    return at === bytes ? bytesTaken(value) : optionsTaken(value);
  });
}

function bytesTaken(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bytesTaken);
  return ArrayBuffer.isView(value) ? copyOf(value) : value;
}

/** Others than plain objects may be anything: those are left. */
export function optionsTaken<T>(value: T): T {
  if (value instanceof Date) return new Date(value) as T;
  if (typeof value !== 'object' || value === null) return value;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? { ...value } : value;
}

/**
 * Says of an error what the caller would have been told: the path as it was given.
 *
 * @param given the arguments as they came
 * @param used and as they were used
 */
export function asGiven(
  error: unknown,
  given: readonly unknown[],
  used: readonly unknown[],
): unknown {
  const reported = error as NodeJS.ErrnoException & { dest?: string };
  if (typeof reported?.syscall !== 'string' && typeof reported?.code !== 'string') return error;
  for (const [at, name] of used.entries()) {
    if (name === given[at] || !(typeof name === 'string' || Buffer.isBuffer(name))) continue;
    const [long, short] = [String(name), String(given[at])];
    const cut = (text: string) => text.replaceAll(`'${long}`, () => `'${short}`);
    reported.message = cut(reported.message);
    for (const key of ['path', 'dest'] as const)
      if (reported[key]?.startsWith(long)) reported[key] = short + reported[key].slice(long.length);
  }
  return error;
}

/** The same of a result that is a path at `used`, or entries of directories that are. */
export function resultAsGiven(result: unknown, given: unknown, used: unknown): unknown {
  const [short, long] = [String(given), String(used)];
  if (short === long) return result;
  const added = long.length - short.length;
  // Node goes from the top of a tree by path.join().
  const below = (name: string) =>
    name.startsWith(long)
      ? short + name.slice(long.length)
      : path.join(short, path.relative(path.resolve(long), name));
  if (typeof result === 'string')
    return long.startsWith(result) ? result.slice(added) : below(result);
  if (Buffer.isBuffer(result)) return result.subarray(Buffer.byteLength(long.slice(0, added)));
  if (Array.isArray(result))
    for (const entry of result as { parentPath?: unknown; path?: unknown }[])
      for (const key of ['parentPath', 'path'] as const)
        if (Object.hasOwn(Object(entry), key)) {
          const name = below(String(entry[key]));
          entry[key] = Buffer.isBuffer(entry[key]) ? Buffer.from(name) : name;
        }
  return result;
}
