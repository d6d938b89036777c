/**
 * Work for other processors: functions in worker threads (gevent.threadpool), over piscina.
 * @module
 */

import { availableParallelism } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Piscina } from 'piscina';
import { InvalidArgumentError, SocketClosedError, TendrilError } from '../errors.js';
import type { Greenlet } from '../greenlet/greenlet.js';
import { joinall } from '../greenlet/join.js';
import { spawn } from '../greenlet/spawn.js';
import { wait } from '../greenlet/wait.js';
import { withCaller } from '../hub/caller-frames.js';
import type { TimeoutOption } from '../hub/timed-wait.js';
import { wasInterrupted } from '../hub/was-interrupted.js';
import { withoutContext } from '../loop/async-context.js';
import { unpackThrown } from './threadpool-error.js';
import type { Outcome, Task } from './threadpool-task.js';

// biome-ignore lint/suspicious/noExplicitAny: any function
type AnyFunction = (...args: any[]) => any;

/** A function of a module: a path, a file URL or the name of a package. */
export interface ModuleExport {
  module: string | URL;
  export: string;
}

export interface ThreadPoolOptions {
  /** Milliseconds after which a thread without work ends; default 10,000. */
  idleTimeout?: number;
}

/** A value that cannot be sent to another thread, or a thread that died or could not begin. */
export class ThreadPoolError extends TendrilError {}

function workOf(fn: AnyFunction | ModuleExport): Task['work'] {
  if (typeof fn === 'function') {
    const source = Function.prototype.toString.call(fn);
    if (/\{\s*\[native code\]\s*\}\s*$/.test(source))
      throw new InvalidArgumentError('fn', 'a function with a source: not bound, not built in', fn);
    if (!/^(async\s+)?(function\b|\(|[\w$]+\s*=>)/.test(source))
      throw new InvalidArgumentError(
        'fn',
        'a plain function or an arrow function, or { module, export }',
        source.slice(0, 40),
      );
    return { source };
  }
  if (typeof fn?.export !== 'string' || !fn.module)
    throw new InvalidArgumentError('fn', 'a function or { module, export }', fn);
  const { module } = fn;
  if (module instanceof URL) return { module: module.href, export: fn.export };
  const isPath = path.isAbsolute(module) || module.startsWith('.');
  return { module: isPath ? pathToFileURL(module).href : module, export: fn.export };
}

function cloneError(what: string, why: string, cause?: unknown): ThreadPoolError {
  return new ThreadPoolError(
    'ERR_THREADPOOL_CLONE',
    `${what} cannot be sent to another thread: ${why} Send plain data, and make the rest of it there.`,
    cause === undefined ? undefined : { cause },
  );
}

function isCloneError({ name, code }: { name?: unknown; code?: unknown }): boolean {
  return name === 'DataCloneError' || code === 'ERR_MISSING_TRANSFERABLE_IN_TRANSFER_LIST';
}

/** Counted from 1; undefined if it is none of them alone. */
function uncloneable(args: readonly unknown[]): number | undefined {
  const at = args.findIndex((arg) => {
    try {
      structuredClone(arg);
      return false;
    } catch {
      return true;
    }
  });
  return at < 0 ? undefined : at + 1;
}

/** Errors of the pool and its threads, in our words; anything else as it is. */
function explain(error: unknown, args: readonly unknown[]): unknown {
  const { name, message = '', code } = (error ?? {}) as Partial<Error> & { code?: unknown };
  if (code === 'ERR_WORKER_INIT_FAILED')
    return new ThreadPoolError(
      'ERR_THREADPOOL_START',
      `No thread could be started: ${message}. Try again when the process has room for one.`,
      { cause: error },
    );
  if (isCloneError({ name, code }))
    return cloneError(`Argument ${uncloneable(args) ?? ''}`.trim(), message, error);
  if (/^Terminating worker thread|^worker exited|thread.*exit/i.test(message))
    return new ThreadPoolError('ERR_THREADPOOL_DIED', `The thread ended: ${message}`, {
      cause: error,
    });
  return error;
}

/** An `apply()` that is under way. */
interface Call {
  readonly controller: AbortController;
  /** Why no thread will ever take it. */
  failure: unknown;
}

/**
 * Runs functions in worker threads while the greenlet is parked. A thread starts when it is needed, and
 * none keeps the process alive.
 *
 * @example
 *     const pool = new ThreadPool(4);
 *     const sum = pool.apply((n) => { let s = 0; for (let i = 0; i < n; i++) s += i; return s; }, [1e9]);
 */
export class ThreadPool implements Disposable {
  readonly size: number;
  readonly #piscina: Piscina;
  readonly #calls = new Set<Call>();
  #killed = false;

  /** @throws InvalidArgumentError unless `size` (default: one per processor) is a whole number from 1 on */
  constructor(size = availableParallelism(), options: ThreadPoolOptions = {}) {
    if (!(Number.isInteger(size) && size >= 1))
      throw new InvalidArgumentError('size', 'a whole number from 1 on', size);
    this.size = size;
    this.#piscina = new Piscina({
      filename: new URL('./threadpool-worker.js', import.meta.url).href,
      minThreads: 0,
      maxThreads: size,
      idleTimeout: options.idleTimeout ?? 10_000,
    });
    this.#piscina.on('error', (error) => this.#noThread(error));
  }

  // A thread that could not begin, for want of descriptors for one. Where there are others they take what
  // waits; where there are none it would wait for ever.
  #noThread(error: unknown): void {
    if (this.threads > 0) return;
    for (const call of this.#calls) {
      call.failure = error;
      call.controller.abort();
    }
  }

  /**
   * The result of `fn(...args)`, run in a thread. `fn` is sent as its source, so it sees its arguments
   * only; or it is an export of a module. Arguments and results are structured clones; the memory of a
   * result that is an ArrayBuffer or a view of a whole one is handed over, not copied. A kill or a
   * timeout of the greenlet ends the thread.
   *
   * @throws what the function throws: an error with its class (of the language's own), name, stack, cause and
   *   all own properties that can be cloned, anything else as a clone; Timeout; InvalidArgumentError;
   *   ThreadPoolError: ERR_THREADPOOL_CLONE for what cannot be cloned, ERR_THREADPOOL_DIED,
   *   ERR_THREADPOOL_START
   */
  apply<F extends AnyFunction>(
    fn: F,
    args?: Parameters<F>,
    options?: TimeoutOption,
  ): Awaited<ReturnType<F>>;
  apply(fn: ModuleExport, args?: unknown[], options?: TimeoutOption): unknown;
  apply(fn: AnyFunction | ModuleExport, args: unknown[] = [], options?: TimeoutOption): unknown {
    if (this.#killed) throw new SocketClosedError('This thread pool');
    const task: Task = { work: workOf(fn), args };
    const call: Call = { controller: new AbortController(), failure: undefined };
    const { controller } = call;
    this.#calls.add(call);
    let outcome: Outcome;
    try {
      outcome = wait((signal) => {
        signal.addEventListener('abort', () => controller.abort(signal.reason), { once: true });
        // A thread that is started for it outlives it: it holds nobody's AsyncLocalStorage context.
        return withoutContext(
          () => this.#piscina.run(task, { signal: controller.signal }) as Promise<Outcome>,
        );
      }, options);
    } catch (error) {
      if (wasInterrupted(error)) throw error;
      throw explain(call.failure ?? error, args);
    } finally {
      this.#calls.delete(call);
    }
    if ('value' in outcome) return outcome.value;
    if ('thrown' in outcome) throw withCaller(unpackThrown(outcome.thrown), this.apply);
    throw cloneError(`What the function has ${outcome.stuck}`, outcome.why);
  }

  /** Like {@link apply} in a greenlet of its own: `get()` waits for the result, `kill()` ends the work. */
  applyAsync<F extends AnyFunction>(fn: F, args?: Parameters<F>): Greenlet<Awaited<ReturnType<F>>>;
  applyAsync(fn: ModuleExport, args?: unknown[]): Greenlet<unknown>;
  applyAsync(fn: AnyFunction | ModuleExport, args: unknown[] = []): Greenlet<unknown> {
    return spawn(() => this.apply(fn as ModuleExport, args));
  }

  /** `fn(item)` for each, in threads; results in the order of the items. The first failure ends the rest. */
  map<T, R>(fn: (item: T) => R, items: Iterable<T>): Awaited<R>[];
  map(fn: ModuleExport, items: Iterable<unknown>): unknown[];
  map(fn: AnyFunction | ModuleExport, items: Iterable<unknown>): unknown[] {
    const running = Array.from(items, (item) => this.applyAsync(fn as ModuleExport, [item]));
    try {
      joinall(running, { raiseError: true });
      return running.map((one) => one.value);
    } finally {
      for (const one of running) one.kill({ block: false });
    }
  }

  /** Threads that exist now. */
  get threads(): number {
    return this.#piscina.threads.length;
  }

  /** Ends all threads. Those who wait get ERR_THREADPOOL_DIED. */
  kill(): void {
    if (this.#killed) return;
    this.#killed = true;
    this.#piscina.destroy().catch(() => {});
  }

  [Symbol.dispose](): void {
    this.kill();
  }
}
