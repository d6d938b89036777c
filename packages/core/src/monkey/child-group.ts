/**
 * How the children of greenlets end with all that they have started.
 *
 * Where the process has a controlling terminal, a child stays in its group and session, as spawnSync
 * leaves it there: Ctrl-C must reach it, it may read from the terminal and ask at /dev/tty. To end it
 * then means to end its descendants as well, as far as they are its descendants still. Without a
 * terminal it leads a group of its own, which is ended as a whole.
 */
import type { ChildProcess } from 'node:child_process';
import type fs from 'node:fs';
import { endChild } from '../system/subprocess.js';
import { getOriginal } from './registry.js';

let terminal: boolean | undefined;

/** Whether this process has a controlling terminal (tty(4): only then /dev/tty can be opened). */
export function hasTerminal(): boolean {
  terminal ??= opens('/dev/tty');
  return terminal;
}

function opens(path: string): boolean {
  try {
    const fd = getOriginal<typeof fs.openSync>('fs', 'openSync')(path, 'r');
    getOriginal<typeof fs.closeSync>('fs', 'closeSync')(fd);
    return true;
  } catch {
    return false;
  }
}

/** Ends a child, with all that it has started. `leads`: it leads a group. */
export function endWhole(
  child: ChildProcess,
  leads: boolean,
  signal: NodeJS.Signals | number,
): void {
  const { pid } = child;
  if (pid === undefined) return;
  const others = leads ? [] : descendants(pid);
  endChild(child, { killSignal: signal });
  for (const other of others) {
    try {
      process.kill(other, signal);
    } catch {
      // ended already, or somebody else's
    }
  }
}

/** proc_tid_children(5). */
function descendants(pid: number): number[] {
  const read = getOriginal<typeof fs.readFileSync>('fs', 'readFileSync');
  const found: number[] = [];
  const visit = (one: number) => {
    let children = '';
    try {
      children = read(`/proc/${one}/task/${one}/children`, 'utf8');
    } catch {
      // ended meanwhile, or a kernel without this file
    }
    for (const child of children.split(' ').filter(Boolean).map(Number)) {
      found.push(child);
      visit(child);
    }
  };
  visit(pid);
  return found;
}
