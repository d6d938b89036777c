/** What is known of a file without opening it. */
import fs from 'node:fs';
import { firstOf, refusal } from '../parking.js';
import type { NodeFunction } from '../registry.js';
import { inTurn } from './held.js';
import type { Twin } from './index.js';

type Stat = (path: string, options: { throwIfNoEntry: boolean }) => unknown;

/** Whether something "in" a file is no entry either: not all functions of all Nodes see it so. */
function isNoEntry(stat: Stat, code: unknown): boolean {
  if (code !== 'ENOTDIR') return code === 'ENOENT';
  try {
    return stat('/dev/null/none', { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

/** The asynchronous form would take null. */
function statArguments(args: unknown[]): unknown[] {
  if (args[1] === null) throw refusal;
  return firstOf(2)(args);
}

/** Only the synchronous form knows `throwIfNoEntry`. */
const parkedStat: Twin = (original, twin) => {
  const parked = inTurn(original, twin, {}, { args: statArguments });
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
  const parked = inTurn(original, fs.access as NodeFunction, {}, { args: firstOf(1) });
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
  fstat: (original, twin) => inTurn(original, twin, { descriptor: true }, { args: statArguments }),
  lstat: parkedStat,
  stat: parkedStat,
};
