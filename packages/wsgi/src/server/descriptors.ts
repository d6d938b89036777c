/** How many files a process may have open, and how many of them may be connections. */
import { readdirSync, readFileSync } from 'node:fs';

/** What a worker has open before its first connection: its channel, logs, libuv's own. More or less. */
const opened = 24;
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
    return fitting(limit - readdirSync('/proc/self/fd').length);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** The same for a worker yet to be started: about so many. */
export function connectionsOfWorker(): number {
  return fitting(descriptorLimit() - opened);
}

function fitting(free: number): number {
  return Math.max(1, free - Math.min(mostSpared, Math.ceil(free / 4)));
}

/** Of what fits, for each of so many addresses, at most `wanted`. */
export function shareOf(fitting: number, addresses: number, wanted: number): number {
  return Math.max(Math.min(wanted, Math.floor(fitting / addresses)), 1);
}
