/**
 * Child processes that end together with all that they started: each leads a process group of its own,
 * which is signalled as a whole, and which may outlive its leader.
 */
import type { ChildProcess } from 'node:child_process';

/** Groups that have members, as far as we know. */
const groups = new Set<ProcessGroup>();
const ledBy = new WeakMap<ChildProcess, ProcessGroup>();

function send(pid: number, signal: NodeJS.Signals | number): NodeJS.ErrnoException | undefined {
  try {
    process.kill(pid, signal);
    return undefined;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}

class ProcessGroup {
  readonly #leader: number;
  /** The leader has ended and its pid been given back: others may get it when the group is empty. */
  #reaped = false;

  constructor(leader: number) {
    this.#leader = leader;
    if (groups.size === 0) process.on('exit', endAll);
    groups.add(this);
  }

  forget(): void {
    if (groups.delete(this) && groups.size === 0) process.off('exit', endAll);
  }

  leaderReaped(): void {
    this.#reaped = true;
    this.look();
  }

  /** Forgets the group if its leader has ended and nobody is left. */
  look(): void {
    if (this.#reaped) this.signal(0);
  }

  /**
   * False if nobody is left. As long as a group has members the kernel gives its id to no new process
   * (setpgid(2)): one that has the leader's pid after the leader was reaped is a stranger, and the group
   * has ended.
   */
  signal(signal: NodeJS.Signals | number): boolean {
    if (!groups.has(this)) return false;
    const stranger = this.#reaped && send(this.#leader, 0)?.code !== 'ESRCH';
    const error = stranger ? undefined : send(-this.#leader, signal);
    if (stranger || (this.#reaped && error?.code === 'ESRCH')) this.forget();
    return !stranger && !error;
  }
}

// A process that ends leaves none of them behind.
const endAll = () => {
  for (const group of groups) group.signal('SIGKILL');
};

/**
 * Watches over a child of `child_process.spawn` that was started with `detached: true`: {@link endChild}
 * ends its whole group, and so does the end of this process, until it is released. What a leader that
 * has ended leaves behind belongs to the group.
 */
export function adoptChild(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  for (const group of groups) group.look();
  const group = new ProcessGroup(pid);
  ledBy.set(child, group);
  child.once('exit', () => group.leaderReaped());
}

/** Lets a child that has ended go: what it left running is its own from here on. */
export function releaseChild(child: ChildProcess): void {
  ledBy.get(child)?.forget();
}

/** Signals a child, and its group if it leads one. False if it has ended, with all of its group. */
export function signalChild(child: ChildProcess, signal: NodeJS.Signals | number): boolean {
  if (child.pid === undefined) return false;
  return ledBy.get(child)?.signal(signal) ?? child.kill(signal);
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
 * them by SIGKILL some time later, be the leader alive or not. Does not wait.
 */
export function endChild(
  child: ChildProcess,
  { killSignal = 'SIGTERM', killTimeout = 1000 }: EndOptions = {},
): void {
  if (!signalChild(child, killSignal)) return;
  const group = ledBy.get(child);
  const deadline = performance.now() + killTimeout;
  const timer = setInterval(() => {
    const alive = group ? group.signal(0) : child.exitCode === null && !child.signalCode;
    if (alive && performance.now() < deadline) return;
    clearInterval(timer);
    if (alive) signalChild(child, 'SIGKILL');
  }, lookInterval);
}
