/** What a call has taken at its moment: where it is, whatever becomes of the process's directory meanwhile. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Claim } from './turns.js';

const { fstatSync, statSync } = fs;

/** The absolute path of an argument; undefined for a descriptor, and for what is no path. */
export function absolute(value: unknown): string | undefined {
  if (typeof value === 'string') return value.includes('\0') ? undefined : path.resolve(value);
  if (Buffer.isBuffer(value)) return absolute(value.toString());
  if (!(value instanceof URL) || value.protocol !== 'file:') return undefined;
  try {
    return fileURLToPath(value);
  } catch {
    return undefined;
  }
}

/** In the form in which it was given, so that names stay bytes where they are bytes. */
export function absoluteLike(value: unknown): unknown {
  if (typeof value === 'string') return isWhole(value) ? value : joined(value);
  if (!Buffer.isBuffer(value) || isWhole(value.toString('latin1'))) return value;
  return Buffer.concat([Buffer.from(`${process.cwd()}/`), value]);
}

/** Not path.resolve(): `link/` and `link/..` are not what they would be without. */
function joined(name: string): string {
  return `${process.cwd()}/${name}`;
}

/** Nothing in front of it changes what it is: empty and wrong ones are left to be refused. */
function isWhole(name: string): boolean {
  return name === '' || name.startsWith('/') || name.includes('\0');
}

function numberOf(stats: fs.BigIntStats | undefined): string[] {
  return stats ? [`${stats.dev}:${stats.ino}`] : [];
}

/** What is at a path, by name and number. */
export function claimOf(names: readonly string[], writes: boolean, trees = false): Claim {
  const files = names.flatMap((name) => {
    try {
      return numberOf(statSync(name, { bigint: true, throwIfNoEntry: false }));
    } catch {
      return [];
    }
  });
  return { writes, paths: names, trees, files };
}

/** What a descriptor is of. Two ends of a stream are two things. */
export function claimOfDescriptor(fd: number, writes: boolean): Claim {
  try {
    const stats = fstatSync(fd, { bigint: true });
    if (stats.isFile() || stats.isDirectory()) return { writes, paths: [], files: numberOf(stats) };
  } catch {
    // it is no descriptor: the call says so
  }
  return { writes: true, paths: [], files: [`${writes ? 'to' : 'from'} ${fd}`] };
}

/**
 * Says of an error what the caller would have been told: the path as it was given.
 *
 * @param given the arguments that are paths, as they came
 * @param used and as they were used
 */
export function asGiven(
  error: unknown,
  given: readonly unknown[],
  used: readonly unknown[],
): unknown {
  const reported = error as NodeJS.ErrnoException & { dest?: string };
  if (typeof reported?.syscall !== 'string' && typeof reported?.code !== 'string') return error;
  for (const [at, name] of used.entries()) {
    if (name === given[at]) continue;
    const [long, short] = [String(name), String(given[at])];
    const cut = (text: string) => text.replaceAll(`'${long}`, () => `'${short}`);
    reported.message = cut(reported.message);
    for (const key of ['path', 'dest'] as const)
      if (reported[key]?.startsWith(long)) reported[key] = short + reported[key].slice(long.length);
  }
  return error;
}
