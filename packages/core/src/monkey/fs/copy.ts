/**
 * cpSync: the two forms do the same to files and directories of the plain kind, and to nothing else:
 * what one refuses, and how it says so, how it takes links and modes, differs from the other.
 */
import fs from 'node:fs';
import path from 'node:path';
import { currentMask } from '../mask.js';
import { firstOf, through } from '../parking.js';
import { mayPark } from '../reentry/index.js';
import type { NodeFunction } from '../registry.js';
import { claimsOf, inOnePiece, leavingAtEnd, type Nature, withTaken } from './held.js';
import type { Twin } from './index.js';
import { isWorth, lookAtPath, policy } from './policy.js';
import { absolute, toPath } from './taken.js';
import { inClaim } from './turns.js';

const { lstatSync } = fs;
const readdir = through(fs.readdirSync as NodeFunction, fs.readdir as NodeFunction, {
  args: firstOf(2),
});
const nature: Nature = { paths: [0, 1], writes: true, trees: true };

/** In these both forms give directories within a tree the modes that they had; else only one does. */
const keepModes = /^(20|26)\./.test(process.versions.node);
const modes = 0o7777;

/** Options that change nothing about plain files. */
const harmless = new Set(['preserveTimestamps', 'recursive', 'verbatimSymlinks']);

function look(name: string): fs.Stats | undefined {
  try {
    return lstatSync(name, { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === 'lstat') return undefined;
    throw error;
  }
}

/** Whether it can be made: the first directory above it that is there is one. */
function canBeMade(name: string): boolean {
  const above = path.dirname(path.resolve(name));
  const found = look(above);
  return found ? found.isDirectory() : above !== name && canBeMade(above);
}

/** What is in a directory, or undefined if that cannot be read. Parks. */
function entriesOf(directory: string): fs.Dirent[] | undefined {
  try {
    return readdir(directory, { withFileTypes: true }) as fs.Dirent[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === 'scandir') return undefined;
    throw error;
  }
}

/** Whether both forms copy a tree alike: files, links, and directories whose modes do not matter. */
function isPlainTree(directory: string): boolean {
  const usual = 0o777 & ~currentMask();
  if (!keepModes && ((look(directory)?.mode ?? 0) & modes) !== usual) return false;
  const plain = (entry: fs.Dirent) =>
    entry.isDirectory()
      ? isPlainTree(path.join(directory, entry.name))
      : entry.isFile() || entry.isSymbolicLink();
  return entriesOf(directory)?.every(plain) === true;
}

/** Whether a copy is of the plain kind. Parks. */
function isPlain([from, to, options = {}]: unknown[]): boolean {
  const source = toPath(from);
  const target = toPath(to);
  if (!source || !target || typeof options !== 'object' || options === null) return false;
  if (!Object.keys(options).every((name) => harmless.has(name))) return false;
  const copied = look(source);
  const there = look(target);
  if (copied?.isFile()) {
    if (there) return there.isFile() && (there.ino !== copied.ino || there.dev !== copied.dev);
    return canBeMade(target);
  }
  const { recursive } = options as fs.CopyOptions;
  if (!copied?.isDirectory() || recursive !== true || there) return false;
  const inside = path.relative(path.resolve(source), path.resolve(target));
  return inside.startsWith('..') && canBeMade(target) && isPlainTree(source);
}

/** Files below the size that is worth it are copied at once, as by copyFileSync. */
function isWorthIt(source: unknown): boolean {
  const name = absolute(source);
  if (policy.park === 'none' || name === undefined) return false;
  const found = lookAtPath(name);
  return look(name)?.isDirectory() === true ? mayPark() : isWorth(found, found.size);
}

export const parkedCopy: Twin = (original, twin) => {
  const whole = inOnePiece(original, nature);
  const parked = withTaken(nature, function (this: unknown, ...now) {
    return inClaim(claimsOf(now, nature), (leave) => {
      let started = false;
      try {
        if (!isPlain(now)) return Reflect.apply(original, this, now);
        started = true;
        const copying = through(original, leavingAtEnd(twin, leave), { args: firstOf(3) });
        return Reflect.apply(copying, this, now);
      } finally {
        if (!started) leave();
      }
    });
  });
  return function (this: unknown, ...args: unknown[]): unknown {
    // A filter is the caller's code, and may wait for whoever waits for this call.
    if (typeof (args[2] as fs.CopySyncOptions | undefined)?.filter === 'function')
      return Reflect.apply(original, this, args);
    return Reflect.apply(isWorthIt(args[0]) ? parked : whole, this, args);
  };
};
