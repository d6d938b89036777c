/** Inherited: listening sockets that whoever started the command has opened, as systemd does. */
import { fstatSync, readFileSync, readlinkSync } from 'node:fs';
import { SetupError } from './errors.js';

/** The first descriptor that is handed on: sd_listen_fds(3). */
const first = 3;
/** States of a TCP socket in proc(5). */
const tcpListening = '0A';
/** `__SO_ACCEPTCON` among the flags of a Unix socket in proc(5). */
const acceptsConnections = 0x10000;

/**
 * `fd://3` and those after it, as many as `LISTEN_FDS` counts; none if `LISTEN_PID` names another
 * process, for whom they were meant.
 */
export function listenDescriptors(env: NodeJS.ProcessEnv, pid: number): string[] {
  const count = Number(env.LISTEN_FDS);
  if (!Number.isInteger(count) || count < 1 || env.LISTEN_PID !== String(pid)) return [];
  return Array.from({ length: count }, (_, index) => `fd://${first + index}`);
}

function* rows(table: string): Generator<string[]> {
  let text: string;
  try {
    text = readFileSync(`/proc/self/net/${table}`, 'latin1');
  } catch {
    return; // another system than Linux, or without IPv6
  }
  for (const line of text.split('\n').slice(1)) yield line.trim().split(/\s+/);
}

/** What the kernel says about a socket; undefined if it is in another network namespace. */
function stateOf(inode: string): { listens: boolean; path?: string } | undefined {
  for (const table of ['tcp', 'tcp6'])
    for (const row of rows(table))
      if (row[9] === inode) return { listens: row[3] === tcpListening };
  for (const table of ['udp', 'udp6'])
    for (const row of rows(table)) if (row[9] === inode) return { listens: false };
  for (const row of rows('unix'))
    if (row[6] === inode) {
      const listens = (Number.parseInt(row[3] ?? '', 16) & acceptsConnections) !== 0;
      return { listens, ...(row[7] !== undefined && { path: row.slice(7).join(' ') }) };
    }
  return undefined;
}

/**
 * The path of the Unix socket that descriptor `fd` is; undefined for one of TCP.
 * @throws SetupError if it cannot be listened on
 */
export function checkDescriptor(fd: number): string | undefined {
  const refused = (why: string) =>
    new SetupError(
      `Cannot listen on fd://${fd}: ${why}. It must be a listening stream socket that was open when the command was started.`,
    );
  let isSocket: boolean;
  try {
    isSocket = fstatSync(fd).isSocket();
  } catch {
    throw refused('there is no such descriptor');
  }
  if (!isSocket) throw refused('the descriptor is no socket');
  let link: string;
  try {
    link = readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined;
  }
  const state = stateOf(/\d+/.exec(link)?.[0] ?? '');
  if (state && !state.listens) throw refused('the socket does not listen');
  return state?.path;
}
