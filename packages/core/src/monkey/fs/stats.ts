/** What is known of a file without opening it. */
import fs from 'node:fs';
import { firstOf, through } from '../parking.js';
import type { NodeFunction } from '../registry.js';
import type { Twin } from './index.js';

type Stat = (path: string, options: { throwIfNoEntry: boolean }) => unknown;

/** Whether something "in" a file is no entry either, which a later Node may see otherwise. */
function isNoEntry(stat: Stat, code: unknown): boolean {
  if (code !== 'ENOTDIR') return code === 'ENOENT';
  return stat(`${process.execPath}/none`, { throwIfNoEntry: false }) === undefined;
}

/** Only the synchronous form knows `throwIfNoEntry`. */
const parkedStat: Twin = (original, twin) => {
  const parked = through(original, twin, { args: firstOf(2) });
  return function (this: unknown, ...args: unknown[]): unknown {
    try {
      return Reflect.apply(parked, this, args);
    } catch (error) {
      const options = args[1] as { throwIfNoEntry?: boolean } | undefined;
      const { code } = error as NodeJS.ErrnoException;
      if (options?.throwIfNoEntry === false && isNoEntry(original as Stat, code)) return undefined;
      throw error;
    }
  };
};

/** `fs.exists` takes what is no path for a file that is not there; access() refuses it. */
const parkedExists: Twin = (original) => {
  const parked = through(original, fs.access as NodeFunction, { args: firstOf(1) });
  return function (this: unknown, ...args: unknown[]): unknown {
    try {
      // What was refused has been answered by the original.
      return Reflect.apply(parked, this, args) ?? true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).syscall === 'access') return false;
      throw error;
    }
  };
};

export const statTwins: Record<string, Twin> = {
  exists: parkedExists,
  lstat: parkedStat,
  stat: parkedStat,
};
