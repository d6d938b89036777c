/** How many connections the process has descriptors for. */
import { readdirSync, readFileSync } from 'node:fs';

/** For what the application opens, and for connections that are told that there is no room. */
const most = 128;

/** Infinity where the system does not say. */
export function connectionsThatFit(): number {
  try {
    const [, limit] =
      /^Max open files +(\d+) /m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
    if (limit === undefined) return Number.POSITIVE_INFINITY;
    const free = Number(limit) - readdirSync('/proc/self/fd').length;
    return Math.max(1, free - Math.min(most, Math.ceil(free / 4)));
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
