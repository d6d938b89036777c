/** One child process from its start to its end, as spawnSync sees it, while its greenlet is parked. */
import type { ChildProcess } from 'node:child_process';
import type { Duplex, Readable, Writable } from 'node:stream';
import { getHub, park } from '../index.js';
import { adoptChild, releaseChild } from '../system/subprocess.js';
import { endWhole } from './child-group.js';
import { inTurn } from './spawn-turns.js';

export interface Limits {
  /** Milliseconds that it may run; 0 is no limit. */
  timeout: number;
  /** Bytes of all its output together; 0 is no limit. */
  maxBuffer: number;
  killSignal: NodeJS.Signals | number;
}

export interface Outcome {
  pid: number;
  status: number | null;
  signal: NodeJS.Signals | null;
  output: (Buffer | null)[];
  /** What ended it, or broke one of its pipes: ETIMEDOUT, ENOBUFS, EPIPE. */
  code: string | undefined;
  /** The program and its arguments: with the option `shell`, the shell and its. */
  file: string;
  args: string[];
}

/** Nothing was started: by the system's fault, or else the arguments'. */
export interface NotStarted {
  failure: NodeJS.ErrnoException | undefined;
}

/**
 * Starts a child and parks until it has ended and its pipes are closed. A kill ends it. `leads`: it is
 * started with `detached`.
 */
export function runChild(
  start: () => ChildProcess,
  leads: boolean,
  input: Uint8Array | undefined,
  limits: Limits,
): Outcome | NotStarted {
  return park<Outcome | NotStarted>((resume) => {
    let run: ChildRun | undefined;
    const withdraw = inTurn(() => {
      let child: ChildProcess;
      try {
        child = start();
      } catch {
        resume({ failure: undefined });
        return;
      }
      if (leads) adoptChild(child);
      run = new ChildRun(child, limits, resume);
      run.begin(input);
    });
    return () => {
      withdraw();
      run?.abandon(leads);
    };
  });
}

class ChildRun {
  readonly #child: ChildProcess;
  readonly #limits: Limits;
  readonly #done: (outcome: Outcome | NotStarted) => void;
  readonly #stdio: readonly (Readable | Writable | Duplex | null | undefined)[];
  readonly #chunks: Buffer[][];
  #size = 0;
  #stopped: string | undefined;
  #brokenPipe: string | undefined;
  #cancelTimer: (() => void) | undefined;
  /** What has to be closed: the child with its output, and its input. */
  #open = 1;

  constructor(child: ChildProcess, limits: Limits, done: (outcome: Outcome | NotStarted) => void) {
    this.#child = child;
    this.#limits = limits;
    this.#done = done;
    this.#stdio = [...child.stdio];
    this.#chunks = this.#stdio.map(() => []);
  }

  begin(input: Uint8Array | undefined): void {
    const child = this.#child;
    child.on('error', (failure) => {
      // Later ones are of signals that it may not be sent.
      if (child.pid === undefined) this.#done({ failure });
    });
    if (child.pid === undefined) return;
    this.#feed(input);
    for (const [at, stream] of this.#stdio.entries())
      if (at > 0 && stream)
        stream
          .on('error', this.#pipeFailed)
          .on('data', (chunk: Buffer) => this.#collect(at, chunk));
    child.once('exit', () => this.#cancelTimer?.());
    child.once('close', this.#closed);
    const { timeout } = this.#limits;
    if (timeout === 0) return;
    const timer = getHub().clock.setTimer(timeout, () => this.#stop('ETIMEDOUT'));
    this.#cancelTimer = () => timer.cancel();
  }

  #feed(input: Uint8Array | undefined): void {
    const { stdin } = this.#child;
    if (!stdin) return;
    // Node destroys a child's input when the child exits; what the child has started may go on reading.
    this.#child.stdin = null;
    this.#open++;
    stdin.on('error', this.#pipeFailed).once('close', this.#closed);
    stdin.end(input);
  }

  readonly #pipeFailed = (error: NodeJS.ErrnoException): void => {
    this.#brokenPipe ??= error.code;
  };

  #collect(at: number, chunk: Buffer): void {
    if (this.#stopped) return;
    this.#chunks[at]?.push(chunk);
    this.#size += chunk.length;
    // The chunk that is too much is part of the output still, as it is for spawnSync.
    const { maxBuffer } = this.#limits;
    if (maxBuffer > 0 && this.#size > maxBuffer) this.#stop('ENOBUFS');
  }

  /** Reads no more, and ends the child, alone: as the options of spawnSync do. */
  #stop(code: string): void {
    this.#stopped = code;
    this.#cancelTimer?.();
    for (const stream of this.#stdio) stream?.destroy();
    const { exitCode, signalCode } = this.#child;
    if (exitCode === null && signalCode === null && !this.#child.kill(this.#limits.killSignal))
      this.#child.kill('SIGKILL');
  }

  readonly #closed = (): void => {
    if (--this.#open > 0) return;
    releaseChild(this.#child);
    const { pid = 0, exitCode, signalCode } = this.#child;
    this.#done({
      pid,
      status: exitCode,
      signal: signalCode,
      output: this.#stdio.map((stream, at) =>
        at > 0 && stream ? Buffer.concat(this.#chunks[at] ?? []) : null,
      ),
      code: this.#stopped ?? this.#brokenPipe,
      file: this.#child.spawnfile,
      args: this.#child.spawnargs.slice(1),
    });
  };

  /** Nobody waits for it any more. */
  abandon(leads: boolean): void {
    this.#cancelTimer?.();
    for (const stream of this.#stdio) stream?.destroy();
    endWhole(this.#child, leads, this.#limits.killSignal);
  }
}
