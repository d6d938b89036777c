/** readdir of whole trees: where Node's asynchronous form walks them without ever leaving the thread, we do. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { firstOf, through } from '../parking.js';
import { mayPark } from '../reentry/index.js';
import type { NodeFunction } from '../registry.js';
import { absoluteArguments, claimsOf, inOnePiece, inTurn, type Nature } from './held.js';
import type { Twin } from './index.js';
import { policy } from './policy.js';
import { asGiven } from './taken.js';
import { inClaim } from './turns.js';

/** The one that calls back from a blocking walk. */
const blocksInTrees = process.versions.node.startsWith('20.');
const { statSync } = fs;

interface Options {
  encoding?: BufferEncoding;
  recursive?: boolean;
  withFileTypes?: boolean;
}

const tree: Nature = { trees: true };

/** The entries say in which directory they are, as it was given. */
function asGivenEntries(found: unknown, [given]: unknown[], [used]: unknown[]): unknown {
  if (given !== used && Array.isArray(found))
    for (const entry of found as { parentPath?: unknown; path?: unknown }[])
      for (const key of ['parentPath', 'path'] as const)
        if (Object.hasOwn(Object(entry), key) && String(entry[key]).startsWith(String(used)))
          entry[key] = String(given) + String(entry[key]).slice(String(used).length);
  return found;
}

export const parkedReaddir: Twin = (original, twin) => {
  const flat = inOnePiece(original, {});
  const read = through(original, twin, { args: firstOf(2) });
  const parked = inTurn(original, twin, tree, { args: firstOf(2) });
  return function (this: unknown, ...args: unknown[]): unknown {
    const [top, options] = args as [unknown, Options | undefined];
    const recursive = typeof options === 'object' && options?.recursive === true;
    const worth = policy.park === 'all' || (policy.park === 'slow' && recursive);
    if (!worth || !mayPark()) return Reflect.apply(flat, this, args);
    const now = absoluteArguments(args, tree);
    if (!recursive || !blocksInTrees)
      return asGivenEntries(Reflect.apply(parked, this, args), args, now);
    const base = top instanceof URL && top.protocol === 'file:' ? fileURLToPath(top) : now[0];
    if ((options.encoding as string) === 'buffer' || typeof base !== 'string')
      return Reflect.apply(flat, this, args);
    return inClaim(claimsOf(now, tree), (leave) => {
      try {
        return asGivenEntries(walk(base, options, read), args, now);
      } catch (error) {
        throw asGiven(error, args, now);
      } finally {
        leave();
      }
    });
  };
};

/** Breadth first, each directory's entries in the order in which they are read, as Node does it. */
function walk(base: string, options: Options, readdir: NodeFunction): unknown[] {
  const found: unknown[] = [];
  const directories = [base];
  for (const directory of directories)
    for (const entry of readdir(directory, { ...options, recursive: false }) as unknown[]) {
      const name = options.withFileTypes ? (entry as fs.Dirent).name : (entry as string);
      const full = path.join(directory, name);
      found.push(options.withFileTypes ? entry : path.relative(base, full));
      if (options.withFileTypes ? (entry as fs.Dirent).isDirectory() : isDirectory(full))
        directories.push(full);
    }
  return found;
}

function isDirectory(full: string): boolean {
  try {
    return statSync(full).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === 'stat') return false; // a link to nothing
    throw error;
  }
}
