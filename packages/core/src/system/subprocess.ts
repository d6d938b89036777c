/**
 * Child processes without callbacks (gevent.subprocess, Python's subprocess).
 * @module
 */
import {
  type ChildProcess,
  type SpawnOptions,
  type StdioOptions,
  spawn as spawnChild,
} from 'node:child_process';
import type { Duplex, Writable } from 'node:stream';
import { InvalidArgumentError, TendrilError } from '../errors.js';
import { spawn } from '../greenlet/spawn.js';
import { timedOut, withTimeout } from '../greenlet/timeout.js';
import { park } from '../hub/park.js';
import { checkTimeout, type TimeoutOption } from '../hub/timed-wait.js';
import { Socket } from '../net/socket.js';
import { Event } from '../sync/event.js';
import { adoptChild, endChild, releaseChild, signalChild } from './process-group.js';

export { adoptChild, endChild, releaseChild } from './process-group.js';

interface CommonOptions {
  cwd?: string | URL;
  env?: NodeJS.ProcessEnv;
  /** True or a path: the command is a line for a shell. */
  shell?: boolean | string;
  /**
   * True, the default: the child leads a process group of its own, which a kill or a timeout ends as a
   * whole. Signals of a terminal (Ctrl-C) then reach only this process.
   */
  group?: boolean;
  /** How it is asked to end; default SIGTERM. */
  killSignal?: NodeJS.Signals | number;
  /** Milliseconds from `killSignal` to SIGKILL; default 1,000. */
  killTimeout?: number;
  uid?: number;
  gid?: number;
}

export interface RunOptions extends CommonOptions {
  /** Encoding of the output; 'buffer' for bytes. Default utf8. */
  encoding?: BufferEncoding | 'buffer';
  /** For its standard input; without it the input is empty. */
  input?: string | Uint8Array;
  /** What becomes of output and errors: collected, passed on to this process's own, or thrown away. */
  stdout?: 'pipe' | 'inherit' | 'ignore';
  stderr?: 'pipe' | 'inherit' | 'ignore';
  /** Bytes of output or errors at most; more end the child. Default 64 MiB. */
  maxBuffer?: number;
  /** Milliseconds that it may take; it is ended then, and a Timeout thrown. */
  timeout?: number;
}

type Output<O> = O extends { encoding: 'buffer' } ? Buffer : string;

export interface Completed<T = string> {
  stdout: T;
  stderr: T;
  /** Exit code; null when a signal ended it. */
  status: number | null;
  signal: NodeJS.Signals | null;
}

/** A child ended with another status than 0. */
export class CalledProcessError extends TendrilError {
  readonly command: string;
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string | Buffer;
  readonly stderr: string | Buffer;

  constructor(command: string, outcome: Completed<string | Buffer>) {
    const { status, signal, stderr } = outcome;
    const how = signal ? `was ended by ${signal}` : `exited with ${status}`;
    const last = String(stderr).trimEnd().split('\n').at(-1);
    super('ERR_CALLED_PROCESS', `\`${command}\` ${how}${last ? `: ${last}` : '.'}`);
    this.command = command;
    this.status = status;
    this.signal = signal;
    this.stdout = outcome.stdout;
    this.stderr = stderr;
  }
}

const defaultMaxBuffer = 64 * 1024 * 1024;

function start(
  command: string,
  args: readonly string[],
  options: CommonOptions,
  stdio: StdioOptions,
) {
  if (typeof command !== 'string' || command === '')
    throw new InvalidArgumentError('command', 'the name of a program', command);
  if (!Array.isArray(args)) throw new InvalidArgumentError('args', 'an array of strings', args);
  const { cwd, env, shell, uid, gid, group = true } = options;
  const given: SpawnOptions = { cwd, env, shell, uid, gid, detached: group, stdio };
  const child = spawnChild(command, args, given);
  if (group) adoptChild(child);
  return child;
}

class Collector {
  readonly #chunks: Buffer[] = [];
  #size = 0;
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }
  /** False: that was too much. */
  add(chunk: Buffer): boolean {
    this.#size += chunk.length;
    if (this.#size <= this.#max) this.#chunks.push(chunk);
    return this.#size <= this.#max;
  }
  result(encoding: BufferEncoding | 'buffer'): string | Buffer {
    const all = Buffer.concat(this.#chunks);
    return encoding === 'buffer' ? all : all.toString(encoding);
  }
}

/**
 * Runs a program to its end and collects its output. Parks. A kill or a timeout of the greenlet ends
 * the program and all that it started.
 *
 * @example
 *     const { stdout } = run('git', ['log', '-1'], { cwd: folder });
 * @throws Timeout; Node's errors with code, syscall and path (ENOENT, EACCES);
 *   ERR_CHILD_PROCESS_STDIO_MAXBUFFER
 */
export function run<const O extends RunOptions>(
  command: string,
  args: readonly string[] = [],
  options?: O,
): Completed<Output<O>> {
  const given: RunOptions = options ?? {};
  const { maxBuffer = defaultMaxBuffer, encoding = 'utf8', input, timeout } = given;
  checkTimeout(timeout);
  if (!(maxBuffer >= 0))
    throw new InvalidArgumentError('maxBuffer', 'a number of bytes', maxBuffer);
  return withTimeout(timeout, () =>
    park<Completed<Output<O>>>((resume) => {
      const child = start(command, args, given, [
        input === undefined ? 'ignore' : 'pipe',
        given.stdout ?? 'pipe',
        given.stderr ?? 'pipe',
      ]);
      const stdin = takeInput(child);
      let abandoned = false;
      const end = () => {
        abandoned = true;
        abandon(child, given, stdin);
      };
      const output = { stdout: new Collector(maxBuffer), stderr: new Collector(maxBuffer) };
      for (const name of ['stdout', 'stderr'] as const)
        child[name]?.on('data', (chunk: Buffer) => {
          if (output[name].add(chunk)) return;
          const error = new RangeError(`${name} maxBuffer length exceeded: ${maxBuffer} bytes`);
          resume.error(Object.assign(error, { code: 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER' }));
          end();
        });
      // A program that ends without reading all of its input is no error.
      stdin?.on('error', () => {}).end(input);
      child.once('error', resume.error);
      child.once('close', (status, signal) => {
        if (abandoned) return; // what it has left running is asked to end, and then made to
        const done = () => {
          releaseChild(child);
          const [stdout, stderr] = [output.stdout.result(encoding), output.stderr.result(encoding)];
          resume({ stdout, stderr, status, signal } as Completed<Output<O>>);
        };
        if (!stdin || stdin.closed) done();
        else stdin.once('close', done);
      });
      return end;
    }),
  );
}

/**
 * The child's standard input, taken away from Node, which destroys it when the child exits: what the
 * child has started may go on reading, and a pipe without a reader says so itself.
 */
function takeInput(child: ChildProcess): Writable | undefined {
  const { stdin } = child;
  child.stdin = null;
  return stdin ?? undefined;
}

// Nobody waits for it any more: it is ended, and its pipes are let go. In this order: else it could end
// by SIGPIPE instead.
function abandon(child: ChildProcess, options: CommonOptions, stdin?: Writable): void {
  child.on('error', () => {});
  endChild(child, options);
  for (const stream of [stdin, child.stdin, child.stdout, child.stderr]) stream?.destroy();
}

/** The output of a program that must end with 0. Parks. @throws CalledProcessError; and as {@link run} */
export function check<const O extends RunOptions>(
  command: string,
  args: readonly string[] = [],
  options?: O,
): Output<O> {
  const outcome = run(command, args, options);
  if (outcome.status === 0) return outcome.stdout;
  throw new CalledProcessError([command, ...args].join(' '), outcome as Completed<string | Buffer>);
}

export interface PopenOptions extends CommonOptions {
  stdin?: 'pipe' | 'inherit' | 'ignore';
  stdout?: 'pipe' | 'inherit' | 'ignore';
  stderr?: 'pipe' | 'inherit' | 'ignore';
}

/** A program that runs beside its caller, with its pipes as sockets. Give it to `using`, or kill it. */
export class Popen implements Disposable {
  readonly pid: number;
  /** Write to it, and `end()` it; undefined unless it is a pipe. */
  readonly stdin: Socket | undefined;
  readonly stdout: Socket | undefined;
  readonly stderr: Socket | undefined;
  /** Exit code; null when a signal ended it; undefined while it runs. */
  status: number | null | undefined = undefined;
  signal: NodeJS.Signals | null = null;

  readonly #child: ChildProcess;
  readonly #options: PopenOptions;
  readonly #ended = new Event();

  /** Parks until the program has started. @throws Node's errors (ENOENT, EACCES) */
  constructor(command: string, args: readonly string[] = [], options: PopenOptions = {}) {
    const { stdin = 'pipe', stdout = 'pipe', stderr = 'pipe' } = options;
    this.#options = options;
    let pipes: (Socket | undefined)[] = [];
    this.#child = park<ChildProcess>((resume) => {
      const child = start(command, args, options, [stdin, stdout, stderr]);
      const input = takeInput(child);
      // At once: Node throws away what a child that has ended wrote to a pipe without a reader.
      pipes = [input, child.stdout, child.stderr].map((stream) =>
        stream ? new Socket(stream as Duplex) : undefined,
      );
      child.once('error', resume.error);
      child.once('spawn', () => resume(child));
      child.once('exit', (status, signal) => {
        this.status = status;
        this.signal = signal;
        // What is sent may have other readers, now or later.
        if (input?.writableLength === 0 && !signalChild(child, 0)) input.destroy();
        this.#ended.set();
      });
      return () => abandon(child, options, input);
    });
    this.#child.on('error', () => {}); // of signals that come too late
    this.pid = this.#child.pid as number;
    [this.stdin, this.stdout, this.stderr] = pipes;
  }

  /** The status if it has ended, else undefined. */
  poll(): number | null | undefined {
    return this.status;
  }

  /** Parks until it has ended. @throws Timeout, and it runs on */
  wait(options?: TimeoutOption): number | null {
    if (!this.#ended.wait(options)) throw timedOut(options?.timeout);
    return this.status as number | null;
  }

  /** Signals it and its group. False if it has ended, and all of its group. */
  kill(signal: NodeJS.Signals | number = 'SIGTERM'): boolean {
    return signalChild(this.#child, signal);
  }

  /** Sends `input`, collects all output, and waits for the end. @throws Timeout, and it runs on */
  communicate(input?: string | Uint8Array, options?: TimeoutOption): Completed<Buffer> {
    return withTimeout(options?.timeout, () => {
      const read = (stream: Socket | undefined) =>
        spawn(() => stream?.readAll({ max: defaultMaxBuffer }) ?? Buffer.alloc(0));
      const readers = [read(this.stdout), read(this.stderr)] as const;
      try {
        this.#feed(input);
        const [stdout, stderr] = [readers[0].get(), readers[1].get()];
        return { stdout, stderr, status: this.wait(), signal: this.signal };
      } finally {
        for (const reader of readers) reader.kill({ block: false });
      }
    });
  }

  // A program need not read all of its input.
  #feed(input: string | Uint8Array | undefined): void {
    if (!this.stdin) return;
    try {
      if (input !== undefined) this.stdin.sendAll(input);
      this.stdin.end();
    } catch (error) {
      if (!['EPIPE', 'ECONNRESET', 'ERR_SOCKET_CLOSED'].includes((error as { code: string }).code))
        throw error;
    }
  }

  /** Ends it, and what it has left running in its group, and closes the pipes. */
  [Symbol.dispose](): void {
    for (const socket of [this.stdin, this.stdout, this.stderr]) socket?.destroy();
    endChild(this.#child, this.#options);
  }
}
