/**
 * Child processes that end together with all that they started: each leads a process group of its own,
 * which is signalled as a whole.
 */
import type { ChildProcess } from 'node:child_process';

/** Leaders of the groups that run now. */
const leaders = new Set<number>();

function signalGroup(leader: number, signal: NodeJS.Signals | number): boolean {
  try {
    return process.kill(-leader, signal);
  } catch {
    return false; // gone already
  }
}

// A process that ends leaves none of them behind.
const endAll = () => {
  for (const leader of leaders) signalGroup(leader, 'SIGKILL');
};

/**
 * Watches over a child of `child_process.spawn` that was started with `detached: true`: {@link endChild}
 * ends its whole group, and so does the end of this process.
 */
export function adoptChild(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  if (leaders.size === 0) process.on('exit', endAll);
  leaders.add(pid);
  child.once('exit', () => {
    leaders.delete(pid);
    if (leaders.size === 0) process.off('exit', endAll);
  });
}

/** Signals a child, and its group if it leads one. False if it has ended. */
export function signalChild(child: ChildProcess, signal: NodeJS.Signals | number): boolean {
  const { pid } = child;
  if (pid === undefined) return false;
  return leaders.has(pid) ? signalGroup(pid, signal) : child.kill(signal);
}

/** Milliseconds between two looks at a group that was asked to end. */
const lookInterval = 20;

export interface EndOptions {
  /** How it is asked to end; default SIGTERM. */
  killSignal?: NodeJS.Signals | number;
  /** Milliseconds from `killSignal` to SIGKILL; default 1,000. */
  killTimeout?: number;
}

/**
 * Asks a child to end, with its group if it was given to {@link adoptChild}, and ends what is left of
 * them by SIGKILL some time later. Does not wait.
 */
export function endChild(
  child: ChildProcess,
  { killSignal = 'SIGTERM', killTimeout = 1000 }: EndOptions = {},
): void {
  const { pid } = child;
  const leader = pid !== undefined && leaders.has(pid) ? pid : undefined;
  if (!signalChild(child, killSignal)) return;
  const deadline = performance.now() + killTimeout;
  const timer = setInterval(() => {
    // The leader may be gone while others of its group are not.
    const alive = leader ? signalGroup(leader, 0) : child.exitCode === null && !child.signalCode;
    if (alive && performance.now() < deadline) return;
    clearInterval(timer);
    if (!alive) return;
    if (leader) signalGroup(leader, 'SIGKILL');
    else child.kill('SIGKILL');
  }, lookInterval);
}
