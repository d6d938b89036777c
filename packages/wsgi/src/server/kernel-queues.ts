/**
 * What the kernel still holds of the output of TCP sockets, from Linux's tables (proc(5), /proc/net/tcp).
 *
 * A socket takes megabytes before it says that it is full, and asks for more only when a third of that
 * has gone: for seconds, on a slow line, its user sees nothing move. The tables show every step of the
 * client's. They hold every connection of the system, so they are read beside the loop, for those
 * sockets only of which nothing else is known, and not all the time.
 */
import { readlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

const tables = ['/proc/net/tcp', '/proc/net/tcp6'];
/** `sl local remote st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode …` */
const lineForm = /^ *\d+: \S+ \S+ \S+ ([\dA-F]{8}):\S+ \S+ \S+ +\d+ +\d+ (\d+) /gm;
/** After a reading there is none for this many times as long as it took. */
const pause = 10;
/** From this many sockets on it is faster to read every line. */
const many = 20;

export interface KernelQueue {
  /** Bytes that the peer's system has not acknowledged. */
  readonly bytes: number;
  /** Two values of the same reading say nothing new. */
  readonly reading: number;
}

let wanted = new Set<string>();
let found = new Map<string, KernelQueue>();
let readings = 0;
let nextReading = 0;
let underWay = false;

/** Bytes of each inode in `table`. */
function* search(table: Buffer, inodes: ReadonlySet<string>): Generator<[string, number]> {
  if (inodes.size >= many) {
    for (const [, bytes = '', inode = ''] of table.toString('latin1').matchAll(lineForm))
      if (inodes.has(inode)) yield [inode, Number.parseInt(bytes, 16)];
    return;
  }
  for (const inode of inodes) {
    const at = table.indexOf(` ${inode} `);
    if (at < 0) continue;
    const start = table.lastIndexOf('\n', at) + 1;
    const line = table.toString('latin1', start, at + inode.length + 2);
    for (const [, bytes = '', own] of line.matchAll(lineForm))
      if (own === inode) yield [inode, Number.parseInt(bytes, 16)];
  }
}

async function read(): Promise<void> {
  underWay = true;
  const before = performance.now();
  const inodes = wanted;
  wanted = new Set();
  const next = new Map<string, KernelQueue>();
  const reading = readings + 1;
  for (const table of tables) {
    // No such table: another system, or no IPv6.
    const bytes = await readFile(table).catch(() => Buffer.alloc(0));
    for (const [inode, queued] of search(bytes, inodes))
      next.set(inode, { bytes: queued, reading });
  }
  found = next;
  readings = reading;
  const after = performance.now();
  nextReading = after + (after - before) * pause;
  underWay = false;
}

/** The inode of a socket's descriptor; undefined where there is no /proc. */
export function inodeOf(descriptor: number): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${descriptor}`))?.[1];
  } catch {
    return undefined;
  }
}

/** What the last reading has of the socket, if it was looked for; asks for it to be in the next one. */
export function kernelQueue(inode: string): KernelQueue | undefined {
  wanted.add(inode);
  if (!underWay && performance.now() >= nextReading) void read();
  return found.get(inode);
}
