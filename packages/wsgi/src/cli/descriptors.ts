/** How many files a process may have open, and how many of them may be connections. */
import { readFileSync } from 'node:fs';

/** What a worker needs besides its connections: its channel, logs, watches, and the application's own files. */
const reserve = 64;

/** Connections of a worker for each address, where descriptors allow as many. */
export const defaultMaxConnections = 65_536;

/** RLIMIT_NOFILE of this process, which its children get, too; Infinity where it cannot be read. */
export function descriptorLimit(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** The connections that a worker may have for each of its addresses, at most `wanted`. */
export function connectionsWithin(limit: number, addresses: number, wanted: number): number {
  // A small limit is shared half and half, for the reserve would leave nothing.
  const free = Math.max(limit - reserve, limit / 2);
  return Math.max(Math.min(wanted, Math.floor(free / addresses)), 1);
}
