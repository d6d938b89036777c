/** How many files a process may have open, and how many of them may be connections. */
import { readdirSync, readFileSync } from 'node:fs';

/** What a worker needs besides its connections: its channel, logs, watches, and the application's own files. */
const reserve = 64;
/** For what the application opens, and for connections that are told that there is no room. */
const mostSpared = 128;

/** Connections of a server, where descriptors allow as many. */
export const defaultMaxConnections = 65_536;

/** RLIMIT_NOFILE of this process, which its children get, too; Infinity where it cannot be read. */
export function descriptorLimit(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1');
    return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** The connections that there are descriptors for in this process, beside what is open; Infinity if unknown. */
export function connectionsThatFit(): number {
  const limit = descriptorLimit();
  if (limit === Number.POSITIVE_INFINITY) return limit;
  try {
    const free = limit - readdirSync('/proc/self/fd').length;
    return Math.max(1, free - Math.min(mostSpared, Math.ceil(free / 4)));
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** The connections that a worker yet to be started may have for each of its addresses, at most `wanted`. */
export function connectionsWithin(limit: number, addresses: number, wanted: number): number {
  // A small limit is shared half and half, for the reserve would leave nothing.
  const free = Math.max(limit - reserve, limit / 2);
  return Math.max(Math.min(wanted, Math.floor(free / addresses)), 1);
}
