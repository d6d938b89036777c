/**
 * Which calls of fs park. A call that costs less than a switch must not: old code believes that nobody else
 * runs between two of its lines, and where nothing is gained it shall be right. What waits for something
 * outside the process parks, and what takes long: see docs/under-the-flag.md for the figures.
 */
import fs from 'node:fs';
import { InvalidArgumentError } from '../../errors.js';
import { mayPark } from '../reentry/index.js';

export interface FsOptions {
  /**
   * `slow` (default): what waits for a pipe, a terminal or a device, what goes through whole trees, and files of
   * `from` bytes or more. `all`: every call, for file systems of which each
   * answer may take long, as those of a network do. `none`: nothing.
   */
  park?: 'slow' | 'all' | 'none';
  /** Bytes. Default 1 MiB, which takes about as long to copy as other threads take to be asked. */
  from?: number;
}

const { fstatSync, statSync } = fs;

export const policy = { park: 'slow' as 'slow' | 'all' | 'none', from: 2 ** 20 };

/** @throws InvalidArgumentError */
export function checkFsOptions({ park = 'slow', from = 0, ...unknown }: FsOptions): void {
  if (park !== 'slow' && park !== 'all' && park !== 'none')
    throw new InvalidArgumentError('fs.park', "'slow', 'all' or 'none'", park);
  if (!(typeof from === 'number' && from >= 0))
    throw new InvalidArgumentError('fs.from', 'a number of bytes, 0 or more', from);
  const [other] = Object.keys(unknown);
  if (other !== undefined) throw new InvalidArgumentError('fs', 'of park, from', other);
}

/** @throws InvalidArgumentError */
export function setPolicy(options: FsOptions): void {
  checkFsOptions(options);
  const { park = 'slow', from = 2 ** 20 } = options;
  Object.assign(policy, { park, from });
  forgetSmall();
}

/** What a file is: bytes in a file system, or something that may keep its reader waiting. */
export interface Look {
  readonly isPlain: boolean;
  readonly isDirectory?: boolean;
  readonly size: number;
}

const nothing: Look = { isPlain: true, size: 0 };

function lookAt(stats: fs.Stats | undefined): Look {
  if (!stats) return nothing;
  const isDirectory = stats.isDirectory();
  return { isPlain: isDirectory || stats.isFile(), isDirectory, size: stats.size };
}

/** Of what is not there, or cannot be looked at, the call says so at once. */
export function lookAtPath(name: string): Look {
  try {
    return lookAt(statSync(name, { throwIfNoEntry: false }));
  } catch {
    return nothing;
  }
}

/** Milliseconds for which a small file is taken for small, and how many are kept in mind. */
const memory = 1000;
const mostSmall = 1000;

/** By path: until when, of `performance.now()`. */
const small = new Map<string, number>();

/**
 * Whether it was a small file a moment ago: to look again at what is read for every request costs a tenth of it
 * all. One that has grown meanwhile, by others' hands, is read in one piece once more.
 */
export function isKnownSmall(name: string): boolean {
  const until = small.get(name);
  return until !== undefined && performance.now() < until;
}

export function rememberIfSmall(name: string, { isPlain, isDirectory, size }: Look): void {
  const isFile = isPlain && isDirectory === false; // and is there
  if (!isFile || policy.park !== 'slow' || size >= policy.from) return;
  if (small.size >= mostSmall) small.clear();
  small.set(name, performance.now() + memory);
}

/** For what changes files by their paths. */
export function forgetSmall(): void {
  if (small.size > 0) small.clear();
}

export function lookAtDescriptor(fd: number): Look {
  try {
    return lookAt(fstatSync(fd));
  } catch {
    return nothing;
  }
}

/** Whether to read or write `size` bytes of it parks: it is worth a switch, and its caller may be left meanwhile. */
export function isWorth({ isPlain }: Look, size: number): boolean {
  const worth = policy.park === 'slow' ? !isPlain || size >= policy.from : policy.park === 'all';
  return worth && mayPark();
}
