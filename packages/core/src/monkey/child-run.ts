/** One child process from its start to its end, as spawnSync sees it, while its greenlet is parked. */
import type { ChildProcess } from 'node:child_process';
import type { Duplex, Readable, Writable } from 'node:stream';
import { getHub, park } from '../index.js';
import { adoptChild, releaseChild } from '../system/subprocess.js';
import { endWhole } from './child-group.js';
import { Place } from './child-places.js';
import { isTracing, tellOfPark } from './tracing.js';

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

/** What there is more of when others have ended (fork(2), socketpair(2)). */
const shortages = new Set<unknown>(['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM']);

/**
 * Starts a child, when there is a place for it, and parks until it has ended and its pipes are closed.
 * A kill ends it. `leads`: it is started with `detached`.
 */
export function runChild(
  start: () => ChildProcess,
  leads: boolean,
  input: Uint8Array | undefined,
  limits: Limits,
): Outcome | NotStarted {
  if (isTracing) tellOfPark(runChild);
  return park<Outcome | NotStarted>((resume) => {
    let run: ChildRun | undefined;
    const place = new Place((own) => {
      const failed = (failure: NodeJS.ErrnoException | undefined) => {
        run = undefined;
        if (shortages.has(failure?.code) && own.retry()) return;
        own.leave();
        resume({ failure });
      };
      let child: ChildProcess;
      try {
        child = start();
      } catch (error) {
        // Of the system's errors spawn throws some and emits others.
        const { syscall } = error as NodeJS.ErrnoException;
        failed(syscall === 'spawn' ? (error as NodeJS.ErrnoException) : undefined);
        return;
      }
      if (child.pid === undefined) {
        dismiss(child).once('error', failed);
        return;
      }
      if (leads) adoptChild(child);
      run = new ChildRun(child, limits, (outcome) => {
        own.leave();
        resume(outcome);
      });
      run.begin(input);
    });
    return () => {
      if (run) run.abandon(leads);
      else place.leave();
    };
  });
}

/** Of a child that was not started there may be streams: they fail where their pipes were not made. */
function dismiss(child: ChildProcess): ChildProcess {
  for (const stream of child.stdio ?? []) stream?.on('error', () => {}).destroy();
  return child;
}

class ChildRun {
  readonly #child: ChildProcess;
  readonly #limits: Limits;
  readonly #done: (outcome: Outcome) => void;
  readonly #stdio: readonly (Readable | Writable | Duplex | null | undefined)[];
  readonly #chunks: Buffer[][];
  #size = 0;
  #stopped: string | undefined;
  #brokenPipe: string | undefined;
  #cancelTimer: (() => void) | undefined;
  /** What has to be closed: the child with its output, and its input. */
  #open = 1;
  #abandoned = false;

  constructor(child: ChildProcess, limits: Limits, done: (outcome: Outcome) => void) {
    this.#child = child;
    this.#limits = limits;
    this.#done = done;
    this.#stdio = [...child.stdio];
    this.#chunks = this.#stdio.map(() => []);
  }

  begin(input: Uint8Array | undefined): void {
    const child = this.#child;
    child.on('error', () => {}); // of signals that it may not be sent
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

  /**
   * Ends the child, alone, and reads no more: in this order, as the options of spawnSync do. A child that
   * found its pipe closed first would end by SIGPIPE.
   */
  #stop(code: string): void {
    this.#stopped = code;
    this.#cancelTimer?.();
    const { exitCode, signalCode } = this.#child;
    if (exitCode === null && signalCode === null && !this.#child.kill(this.#limits.killSignal))
      this.#child.kill('SIGKILL');
    for (const stream of this.#stdio) stream?.destroy();
  }

  readonly #closed = (): void => {
    if (--this.#open > 0) return;
    // What it has left running is asked to end, and then made to.
    if (!this.#abandoned) releaseChild(this.#child);
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
    this.#abandoned = true;
    this.#cancelTimer?.();
    endWhole(this.#child, leads, this.#limits.killSignal);
    for (const stream of this.#stdio) stream?.destroy();
  }
}
