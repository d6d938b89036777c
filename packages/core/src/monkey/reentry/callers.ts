/** Which packages have made the call at hand. */
import type fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isOwnFrame } from '../../own-code.js';
import { getOriginal } from '../registry.js';

/** A file of a package that stands on the stack. */
export interface Caller {
  /** Of the package, with its scope. */
  readonly name: string;
  /** Of the package: there may be several of one name. */
  readonly folder: string;
  readonly file: string;
}

export interface Callers {
  /** Packages that have made the call, nearest first, down to the first code of the application. */
  readonly near: readonly Caller[];
  /** Those that have called the application, if they were asked for. */
  readonly far: readonly Caller[];
}

/** What stands behind the last node_modules: the folder of a package and its name. */
const inPackage = /^(.*\/node_modules\/((?:@[^/]+\/)?[^/]+))\//;

/** Names that are kept in mind: code that is made anew for each call may be named anew, too. */
const most = 10_000;

/** By the name of a file, as frames have it: Node's, ours and those of WebAssembly are `none`. */
const origins = new Map<string, Caller | 'application' | 'none'>();
let main: string | undefined;

/** The package that is being run, if the program is in one: it is an application as others are. */
function mainFolder(): string {
  const realpath = getOriginal<typeof fs.realpathSync>('fs', 'realpathSync');
  try {
    return inPackage.exec(realpath(process.argv[1] as string))?.[1] ?? '';
  } catch {
    return ''; // no program, or one that is no file
  }
}

function findOrigin(name: string): Caller | 'application' | 'none' {
  if (/^(node|wasm):/.test(name) || isOwnFrame(name)) return 'none';
  const file = name.startsWith('file:') ? fileURLToPath(name) : name;
  const [, folder, packageName] = inPackage.exec(file) ?? [];
  if (folder === undefined || packageName === undefined) return 'application';
  main ??= mainFolder();
  return folder === main ? 'application' : { name: packageName, folder, file };
}

function originOf(name: string): Caller | 'application' | 'none' {
  const known = origins.get(name);
  if (known) return known;
  const origin = findOrigin(name);
  if (origins.size >= most) origins.clear();
  origins.set(name, origin);
  return origin;
}

/** None where the settings of `Error` are frozen. */
function capture(limit: number): NodeJS.CallSite[] {
  const { stackTraceLimit, prepareStackTrace } = Error;
  const holder: { stack?: unknown } = {};
  Reflect.set(Error, 'stackTraceLimit', limit);
  Reflect.set(Error, 'prepareStackTrace', (_error: unknown, sites: unknown) => sites);
  Error.captureStackTrace(holder, callers);
  const sites = holder.stack;
  Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  Reflect.set(Error, 'prepareStackTrace', prepareStackTrace);
  return Array.isArray(sites) ? sites : [];
}

/** Frames that are looked at: to name a frame costs half a microsecond, and most calls come from near. */
const first = 6;

/** Code that has no file, for it was made by `eval` or `new Function`, is passed over. */
export function callers(far = false): Callers {
  const found: { near: Caller[]; far: Caller[] } = { near: [], far: [] };
  for (const limit of far ? [Number.POSITIVE_INFINITY] : [first, Number.POSITIVE_INFINITY]) {
    found.near = [];
    let list = found.near;
    const sites = capture(limit);
    for (const site of sites) {
      const name = site.getFileName();
      const origin = name ? originOf(name) : 'none';
      if (origin === 'none') continue;
      if (origin !== 'application') list.push(origin);
      else if (far) list = found.far;
      else return found;
    }
    if (sites.length < limit) break;
  }
  return found;
}
