/** readdir of whole trees: where Node's asynchronous form walks them without ever leaving the thread, we do. */
import fs from 'node:fs';
import path from 'node:path';
import { firstOf, through } from '../parking.js';
import { mayPark } from '../reentry/index.js';
import type { NodeFunction } from '../registry.js';
import { claimsOf, during, inOnePiece, inTurn, type Nature, withTaken } from './held.js';
import type { Twin } from './index.js';
import { policy } from './policy.js';
import { toPath } from './taken.js';

/** The one that calls back from a blocking walk. */
const blocksInTrees = process.versions.node.startsWith('20.');
const { statSync } = fs;

interface Options {
  encoding?: BufferEncoding;
  recursive?: boolean;
  withFileTypes?: boolean;
}

/** The entries say in which directory they are, as it was given. */
const flat: Nature = { names: true };
const tree: Nature = { ...flat, trees: true };

// With names that are bytes some Nodes throw where nobody can catch it: those trees are read in one piece.
export const parkedReaddir: Twin = (original, twin) => {
  const wholeFlat = inOnePiece(original, flat);
  const wholeTree = inOnePiece(original, tree);
  const read = through(original, twin, { args: firstOf(2) });
  const parked = inTurn(original, twin, tree, { args: firstOf(2) });
  const walking = withTaken(tree, (...now) =>
    during(claimsOf(now, tree), () => walk(toPath(now[0]) as string, now[1] as Options, read)),
  );
  return function (this: unknown, ...args: unknown[]): unknown {
    const [top, options] = args as [unknown, Options | undefined];
    const recursive = typeof options === 'object' && options?.recursive === true;
    const worth = policy.park === 'all' || (policy.park === 'slow' && recursive);
    if (!worth || !mayPark()) return Reflect.apply(recursive ? wholeTree : wholeFlat, this, args);
    if (!recursive) return Reflect.apply(parked, this, args);
    if ((options.encoding as string) === 'buffer' || toPath(top) === undefined)
      return Reflect.apply(wholeTree, this, args);
    return Reflect.apply(blocksInTrees ? walking : parked, this, args);
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
