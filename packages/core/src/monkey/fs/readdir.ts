/** readdir: where Node's asynchronous form walks trees without ever leaving the thread, we do. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { firstOf, through } from '../parking.js';
import type { NodeFunction } from '../registry.js';
import type { Twin } from './index.js';

/** The one that calls back from a blocking walk. */
const blocksInTrees = process.versions.node.startsWith('20.');

interface Options {
  encoding?: BufferEncoding;
  recursive?: boolean;
  withFileTypes?: boolean;
}

export const parkedReaddir: Twin = (original, twin) => {
  const parked = through(original, twin, { args: firstOf(2) });
  if (!blocksInTrees) return parked;
  return function (this: unknown, ...args: unknown[]): unknown {
    const [top, options] = args as [unknown, Options | undefined];
    const recursive = typeof options === 'object' && options?.recursive === true;
    if (!recursive) return Reflect.apply(parked, this, args);
    const base = top instanceof URL && top.protocol === 'file:' ? fileURLToPath(top) : top;
    const names = (options.encoding as string) !== 'buffer' && typeof base === 'string';
    return names ? walk(base, options, parked) : Reflect.apply(original, this, args);
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
    return fs.statSync(full).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === 'stat') return false; // a link to nothing
    throw error;
  }
}
