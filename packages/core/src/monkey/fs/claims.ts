/** What a call is about: files by all their names and by their numbers, streams by their descriptors. */
import fs from 'node:fs';
import path from 'node:path';
import type { Claim } from './turns.js';

const { fstatSync, realpathSync, statSync } = fs;
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
  const own = path.join(realOf(path.dirname(name)), path.basename(name));
  const target = realOf(name);
  return own === target ? [own] : [own, target];
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
  return { writes, paths: names.flatMap(realNamesOf), trees, files };
}

/**
 * What a descriptor is of. Two ends of a stream are two things.
 *
 * @param moves whether bytes go through it where it stands: of a stream, nothing else is ever half done
 */
export function claimOfDescriptor(fd: number, writes: boolean, moves: boolean): Claim {
  const end = writes ? `to ${fd}` : `from ${fd}`;
  try {
    const stats = fstatSync(fd, { bigint: true });
    if (stats.isFile() || stats.isDirectory())
      return { writes, paths: [], files: numberOf(stats), alone: moves ? [end] : [] };
  } catch {
    // it is no descriptor: the call says so
  }
  return { writes: false, paths: [], files: [], alone: writes || moves ? [end] : [] };
}
