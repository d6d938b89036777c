/** What a call is about: files by all their names and by their numbers, streams by their descriptors. */
import fs from 'node:fs';
import path from 'node:path';
import type { Claim } from './turns.js';

const { fstatSync, lstatSync, realpathSync, statSync } = fs;
const realpath = realpathSync.native;

function numberOf(stats: fs.BigIntStats | undefined): string[] {
  return stats ? [`${stats.dev}:${stats.ino}`] : [];
}

/** Without links, as far as it is there. */
function realOf(name: string): string {
  try {
    return realpath(name);
  } catch {
    const above = path.dirname(name);
    return above === name ? name : path.join(realOf(above), path.basename(name));
  }
}

/** Itself and what it leads to, if it is a link, by the directories in which they really are. */
function realNamesOf(name: string): string[] {
  const target = realOf(name);
  if (!isLink(name)) return [target];
  return [path.join(realOf(path.dirname(name)), path.basename(name)), target];
}

function isLink(name: string): boolean {
  try {
    return lstatSync(name, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  } catch {
    return false;
  }
}

/** What is at absolute paths, by name and number. */
export function claimOf(names: readonly string[], writes: boolean, trees = false): Claim {
  const files = names.flatMap((name) => {
    try {
      return numberOf(statSync(name, { bigint: true, throwIfNoEntry: false }));
    } catch {
      return [];
    }
  });
  // Where a tree is, is found out while it is still there.
  let real = trees ? names.flatMap(realNamesOf) : undefined;
  return {
    ...{ writes, trees, files, paths: names.map((name) => path.resolve(name)) },
    get realPaths() {
      real ??= names.flatMap(realNamesOf);
      return real;
    },
  };
}

/** What is open by now may be another file than was there: a new one, or what has been put in its place. */
export function addFile({ files }: Claim, fd: number): void {
  const [file] = numberOf(fstatSync(fd, { bigint: true }));
  if (file !== undefined && !files.includes(file)) files.push(file);
}

/**
 * What a descriptor is of. Two ends of a stream are two things.
 *
 * @param moves whether bytes go through it where it stands: of a stream, nothing else is ever half done
 */
export function claimOfDescriptor(fd: number, writes: boolean, moves: boolean): Claim {
  const end = writes ? `to ${fd}` : `from ${fd}`;
  const nowhere = { descriptor: fd, paths: [], realPaths: [] };
  try {
    const stats = fstatSync(fd, { bigint: true });
    if (stats.isFile() || stats.isDirectory())
      return { writes, ...nowhere, files: numberOf(stats), alone: moves ? [end] : [] };
  } catch {
    // it is no descriptor: the call says so
  }
  return { writes: false, ...nowhere, files: [], alone: writes || moves ? [end] : [] };
}
