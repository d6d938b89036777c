/** Which functions of Node are replaced, by what, and how they come back. */
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { InvalidArgumentError } from '../errors.js';

/** A function of Node, seen from here. */
export type NodeFunction = (this: unknown, ...args: unknown[]) => unknown;

/** Where a function stands: the object that has it or inherits it, and its name there. */
export type Place = readonly [owner: object, name: string];

interface Replaced {
  readonly owner: object;
  readonly name: string;
  readonly original: NodeFunction;
  /** The owner's own property before; undefined where it inherits the original. */
  readonly descriptor: PropertyDescriptor | undefined;
  readonly replacement: NodeFunction;
}

const require = createRequire(import.meta.url);

/** By module, then by the path of the function in it: `readFileSync`, `Server.prototype.emit`. */
export const replaced = new Map<string, Map<string, Replaced>>();

/** On every replacement, of every copy of this package in the process: what it stands for. */
const originalOf = Symbol.for('@tendril/core/monkey.original');

/** What is no module, by the names under which it can be asked for. */
const globals: Record<string, object> = { atomics: Atomics };

function bare(module: string): string {
  return module === 'Atomics' ? 'atomics' : module.replace(/^node:/, '');
}

function moduleOf(name: string): object {
  return globals[name] ?? (require(`node:${name}`) as object);
}

/** The object that holds the last name of `path`, and that name; undefined where there is none. */
function locate(module: string, path: string): Place | undefined {
  const names = path.split('.');
  const last = names.pop() as string;
  let owner: unknown = moduleOf(module);
  for (const name of names) owner = (owner as Record<string, unknown> | undefined)?.[name];
  const value = (owner as Record<string, unknown> | undefined)?.[last];
  if (typeof value !== 'function') return undefined;
  // A method stands on a prototype (`scheduler.wait` of timers/promises): that is where it is replaced.
  let holder = owner as object;
  while (!Object.hasOwn(holder, last)) holder = Object.getPrototypeOf(holder) as object;
  return [holder, last];
}

/**
 * Puts `make(original)` in the place of a function, with the original's own properties (`name`,
 * `length`, `util.promisify.custom`); one that is inherited is overridden. Does nothing where this
 * Node has no such function, or where it is replaced already.
 *
 * `place` is for what has no path in its module's exports.
 */
export function replace(
  module: string,
  path: string,
  make: (original: NodeFunction) => NodeFunction,
  place = locate(module, path),
): void {
  if (!place) return;
  const [owner, name] = place;
  const original = (owner as Record<string, unknown>)[name] as NodeFunction;
  if (originalOf in original) return;
  const descriptor = Object.getOwnPropertyDescriptor(owner, name);
  if (descriptor && !('value' in descriptor && descriptor.configurable)) return;
  const replacement = make(original);
  const { prototype: _, ...properties } = Object.getOwnPropertyDescriptors(original) as Record<
    string,
    PropertyDescriptor
  >;
  Object.defineProperties(replacement, properties);
  Object.defineProperty(replacement, originalOf, { value: original });
  const attributes = descriptor ?? { configurable: true, writable: true };
  Object.defineProperty(owner, name, { ...attributes, value: replacement });
  const entries = replaced.get(module) ?? new Map<string, Replaced>();
  replaced.set(module, entries);
  entries.set(path, { owner, name, original, descriptor, replacement });
}

/** Makes `import { readFileSync } from 'node:fs'` see what has been replaced, wherever it stands. */
export function publish(): void {
  syncBuiltinESMExports();
}

/**
 * Whether a module, or one function of it, is replaced: `isPatched('fs')`, `isPatched('node:fs',
 * 'readFileSync')`, `isPatched('http', 'Server.prototype.emit')` (gevent.monkey.is_module_patched and
 * is_object_patched).
 */
export function isPatched(module: string, name?: string): boolean {
  const entries = replaced.get(bare(module));
  return name === undefined ? entries !== undefined : entries?.has(name) === true;
}

/**
 * Node's own function, patched or not (gevent.monkey.get_original). What it blocks, it blocks for
 * everybody.
 * @throws InvalidArgumentError where the module has no such function
 */
export function getOriginal<F = NodeFunction>(module: string, name: string): F {
  const entry = replaced.get(bare(module))?.get(name);
  if (entry) return entry.original as F;
  const place = locate(bare(module), name);
  if (!place) throw new InvalidArgumentError('name', `a function of '${module}'`, name);
  return (place[0] as Record<string, F>)[place[1]] as F;
}

/**
 * Puts Node's functions back: of one module, or all. What somebody else has put in their place since
 * stays. Code that took a replacement out of its module keeps it; outside greenlets it is the original.
 */
export function restore(module?: string): void {
  const modules = module === undefined ? [...replaced.keys()] : [bare(module)];
  for (const name of modules) {
    for (const { owner, name: key, descriptor, replacement } of replaced.get(name)?.values() ?? [])
      if ((owner as Record<string, unknown>)[key] !== replacement) continue;
      else if (descriptor) Object.defineProperty(owner, key, descriptor);
      else Reflect.deleteProperty(owner, key);
    replaced.delete(name);
  }
  publish();
}
