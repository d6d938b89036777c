/** Greenlet: a task with an outcome that others can wait for. */
import { GreenletExit, InvalidArgumentError, isExit } from '../errors.js';
import { config } from '../hub/config.js';
import { hub } from '../hub/hub.js';
import { checkStackSize } from '../hub/stack-size.js';
import { Task } from '../hub/task.js';
import { checkTimeout, startTimer, type TimeoutOption, waitAtMost } from '../hub/timed-wait.js';
import { Waiter } from '../hub/waiter.js';
import {
  type AsyncContext,
  captureContext,
  runInContext,
  withoutContext,
} from '../loop/async-context.js';
import { watchAbort } from './abort-watch.js';
import type { Linkable } from './linkable.js';
import {
  addLink,
  type Joiner,
  Link,
  type Links,
  notifyLinks,
  removeLink,
  removeWaiter,
} from './links.js';
import { Locals, type LocalValues } from './local-values.js';
import { type SpawnSite, siteFrame, spawnSite } from './spawn-site.js';
import { chainingCycle, follow, isPlain, type Then, thenOf } from './thenable.js';
import { timedOut } from './timeout.js';

export interface GetOptions extends TimeoutOption {
  /** False: throws a Timeout at once if there is no outcome yet. Default true. */
  block?: boolean;
}

export interface KillOptions extends TimeoutOption {
  /** Thrown at the park point; a GreenletExit unless given. */
  error?: unknown;
  /** Wait until the greenlet has ended; default true. Outside greenlets nothing waits. */
  block?: boolean;
}

type State = 'created' | 'scheduled' | 'running' | 'following' | 'dead';

let created = 0;

/**
 * A green thread (gevent.Greenlet): runs `fn(...args)` on a stack of its own, and can be waited for,
 * killed and linked. Use `spawn`, or `new Greenlet(fn, ...args)` and `start()`.
 */
export class Greenlet<R = unknown> extends Task implements Linkable {
  readonly #spawner: WeakRef<Greenlet> | undefined = (
    hub.current as Greenlet | undefined
  )?.weakly();
  /** One for all greenlets that this one makes. */
  #weakly: WeakRef<Greenlet> | undefined = undefined;

  #fn: ((...args: never[]) => unknown) | undefined;
  #args: unknown[] | undefined;
  #state: State = 'created';
  #failed = false;
  /** Until its end the promise of it, if there is one: see {@link toPromise}. */
  #outcome: unknown = undefined;
  /** Somebody has seen the failure, or will. */
  #collected = false;
  #links: Links = undefined;
  #name: string | undefined = undefined;
  /** Made by Local, for the first value. */
  localValues: LocalValues | undefined = undefined;
  /** Made by {@link signal}; until then what is left of a kill. */
  #controller: KillController | Killed | undefined = undefined;
  #cancelStart: (() => void) | undefined = undefined;
  #stopWatching: (() => void)[] | undefined = undefined;
  #onEnd: ((greenlet: Greenlet) => void)[] | undefined = undefined;
  #site: SpawnSite | undefined = spawnSite();

  constructor(fn: (...args: never[]) => R | PromiseLike<R>, ...args: unknown[]) {
    super();
    if (typeof fn !== 'function') throw new InvalidArgumentError('fn', 'a function', fn);
    this.#fn = fn;
    this.#args = args;
  }

  /**
   * Bytes of address space for its stack, to be set before it starts: see `config.stackSize`, which it has
   * unless it is given one of its own.
   * @throws FiberError ERR_FIBER_STACK_SIZE for a size that no stack can have
   */
  get stackSize(): number | undefined {
    return this.ownStackSize;
  }
  set stackSize(bytes: number | undefined) {
    checkStackSize(bytes);
    this.ownStackSize = bytes;
  }

  // ------------------------------------------------------------------- starting

  /** Runs it on the next turn of the hub. Harmless when it has been started before. */
  start(): void {
    this.#cancelStart?.();
    this.#cancelStart = undefined;
    if (this.#state !== 'created') return;
    this.#state = 'scheduled';
    hub.schedule(this);
  }

  /** Starts it after `ms` milliseconds, unless it is killed before. */
  startLater(ms: number): void {
    checkTimeout(ms, 'ms');
    if (this.#state !== 'created' || this.#cancelStart) return;
    this.#cancelStart = startTimer(ms, () => {
      this.#cancelStart = undefined;
      this.start();
    });
  }

  /** For the hub only. */
  runToEnd(self: this): void {
    const fn = self.#fn;
    if (!fn) return; // killed before it ran
    const args = self.#args as never[];
    self.#fn = self.#args = undefined;
    self.#state = 'running';
    let result: unknown;
    let then: Then | undefined;
    try {
      result = fn(...args);
      then = thenOf(result);
    } catch (error) {
      self.#end(true, error);
      return;
    } finally {
      // Nothing is left on this stack that they could end.
      if (self.endings) self.cancelEndings();
    }
    if (then) self.#follow(result, then);
    else self.#end(false, result);
  }

  /** For the hub only. */
  failToStart(error: unknown): void {
    this.#fn = this.#args = undefined;
    this.#end(true, error);
  }

  // An async function: what it does after its first `await` is not on this stack, which is free now.
  #follow(thenable: unknown, then: Then): void {
    this.#state = 'following';
    this.context = captureContext();
    if (thenable === this.#outcome) {
      this.#end(true, chainingCycle());
      return;
    }
    follow(
      thenable,
      then,
      (value) => this.#end(false, value),
      (error) => this.#end(true, error),
      // Only a stranger can resolve with another thenable.
      isPlain(thenable, then) ? undefined : (value) => value === this.#outcome,
    );
  }

  #end(failed: boolean, outcome: unknown): void {
    if (this.#state === 'dead') return; // a promise that settles after a kill
    // Only one that runs ends on its own stack; any other has its context still.
    const running = this.#state === 'running';
    this.#state = 'dead';
    this.#failed = failed && !isExit(outcome);
    this.#outcome = outcome;
    for (const stop of this.#stopWatching ?? []) stop();
    this.#stopWatching = undefined;
    const hooks = this.#onEnd;
    this.#onEnd = undefined;
    if (hooks) for (const hook of hooks) this.#callHook(hook);
    if (this.#links) this.#links = notifyLinks(this.#links, this, describe);
    if (this.#failed && !this.#collected)
      reportLater(this as Greenlet, running ? captureContext() : this.context);
    else if (!this.#links) this.#site = undefined;
    this.context = undefined;
  }

  // One that throws must not keep the others, and who waits, from hearing of the end.
  #callHook(hook: (greenlet: Greenlet) => void): void {
    try {
      hook(this as Greenlet);
    } catch (error) {
      hub.report(error, `the end of ${this.describe()}`);
    }
  }

  // -------------------------------------------------------------------- waiting

  /** Waits until it has ended, however it ends; returns either way when the time is up. */
  join(options?: TimeoutOption): void {
    const timeout = options?.timeout;
    checkTimeout(timeout);
    if (this.#state === 'dead') return;
    const waiter: Joiner = new Waiter('Greenlet.join()');
    this.#links = addLink(this.#links, waiter);
    waitAtMost<void>(waiter, timeout, () => {
      this.#links = removeWaiter(this.#links, waiter);
    });
  }

  /**
   * The value, or throws the very error that it failed with.
   * @throws Timeout when the time is up, or with `block: false` if it has not ended
   */
  get(options?: GetOptions): R {
    checkTimeout(options?.timeout);
    if (this.#state !== 'dead') {
      if (options?.block === false) throw timedOut(undefined);
      const collected = this.#collected;
      this.#collected = true;
      try {
        this.join(options);
      } finally {
        if ((this.#state as State) !== 'dead') this.#collected = collected;
      }
      if ((this.#state as State) !== 'dead') throw timedOut(options?.timeout);
    }
    this.#collected = true;
    if (this.#failed) throw this.#outcome;
    return this.#outcome as R;
  }

  /** The outcome as a promise, for code outside greenlets. There is one until the end, for all who ask. */
  toPromise(): Promise<R> {
    this.#collected = true;
    if (this.#state !== 'dead' && this.#outcome) return this.#outcome as Promise<R>;
    const promise = new Promise<R>((resolve, reject) => {
      const settle = () => {
        if (this.#failed) reject(this.#outcome);
        else resolve(this.#outcome as R);
      };
      if (this.#state === 'dead') settle();
      else this.onEnd(settle); // who waits for the promise hears of it on a later turn, anyway
    });
    // Kept, for the function may return it: a greenlet that waited for itself would never end.
    if (this.#state !== 'dead') this.#outcome = promise;
    return promise;
  }

  // -------------------------------------------------------------------- killing

  /**
   * Throws a GreenletExit (or `error`) at the greenlet's park point and aborts the operation it is
   * parked in; one that has not run yet never runs. By default waits for its end; `timeout` gives up
   * the wait, not the kill. Killing again, or a dead one, is harmless. The current greenlet kills
   * itself by throwing.
   */
  kill(options?: KillOptions): void {
    checkTimeout(options?.timeout);
    if (this.#state === 'dead') return;
    const error = options?.error ?? new GreenletExit();
    this.#abortSignal(error);
    this.#cancelStart?.();
    this.#cancelStart = undefined;
    if (this === (hub.current as Task)) throw error;
    if (this.#state === 'running') {
      this.interrupt({ error });
    } else {
      this.#fn = this.#args = undefined;
      this.#end(true, error);
    }
    if (options?.block !== false && hub.current) this.join(options);
  }

  /**
   * An AbortSignal that aborts when the greenlet is killed, with the error as its reason, or is aborted if
   * it was killed before this was asked for. Its listeners are called in the context of who asked for it first.
   */
  get signal(): AbortSignal {
    const made = this.#controller;
    if (made instanceof KillController) return made.signal;
    const controller = new KillController();
    this.#controller = controller;
    if (made) controller.kill(made.error);
    return controller.signal;
  }

  #abortSignal(error: unknown): void {
    if (this.#controller) this.#controller.kill(error);
    else this.#controller = new Killed(error);
  }

  /** Kills the greenlet when `signal` aborts, with its reason as the exit's cause. */
  killOn(signal: AbortSignal): void {
    if (this.#state === 'dead') return;
    const exit = () =>
      new GreenletExit('The greenlet was killed by an AbortSignal', { cause: signal.reason });
    if (signal.aborted) {
      this.kill({ error: exit(), block: false });
      return;
    }
    const kill = () => {
      const error = exit();
      if (this !== (hub.current as Task)) {
        this.kill({ error, block: false });
        return;
      }
      // It aborts its own signal: it dies at its next park, and not inside abort().
      this.#abortSignal(error);
      this.interrupt({ error });
    };
    const stop = watchAbort(signal, kill);
    if (this.#stopWatching) this.#stopWatching.push(stop);
    else this.#stopWatching = [stop];
  }

  // --------------------------------------------------------------------- links

  /**
   * Calls `fn(greenlet)` on a later turn once it has ended, or soon if it has ended already: outside any
   * greenlet, in the AsyncLocalStorage context of this call.
   */
  link(fn: (greenlet: this) => void): void {
    this.#collected = true;
    this.#addLink(fn);
  }

  /** Like `link`, only if it succeeds. */
  linkValue(fn: (greenlet: this) => void): void {
    this.#addLink(fn, successful);
  }

  /** Like `link`, only if it fails. */
  linkException(fn: (greenlet: this) => void): void {
    this.#collected = true;
    this.#addLink(fn, failed);
  }

  /** Takes back the latest link of `fn`; one that was to be called in this turn is not called. */
  unlink(fn: (greenlet: this) => void): void {
    this.#links = removeLink(this.#links, fn);
  }

  /** For groups: like `link`, but called within the end itself. Must neither throw nor block. */
  onEnd(hook: (greenlet: Greenlet) => void): void {
    if (this.#onEnd) this.#onEnd.push(hook);
    else this.#onEnd = [hook];
  }

  /** Takes back a hook of {@link onEnd}. */
  offEnd(hook: (greenlet: Greenlet) => void): void {
    this.#onEnd = this.#onEnd?.filter((other) => other !== hook);
  }

  #addLink(fn: (greenlet: this) => void, condition?: (greenlet: Greenlet) => boolean): void {
    const link = new Link(fn, condition);
    if (this.#state === 'dead') link.tell(this, describe);
    this.#links = addLink(this.#links, link);
  }

  // --------------------------------------------------------------------- state

  /** It has ended. */
  ready(): boolean {
    return this.#state === 'dead';
  }

  /** It has ended without an error, or by GreenletExit. */
  successful(): boolean {
    return this.#state === 'dead' && !this.#failed;
  }

  /** What it returned, or the GreenletExit that ended it; undefined while it runs or when it failed. */
  get value(): R | GreenletExit | undefined {
    return this.#failed || this.#state !== 'dead'
      ? undefined
      : (this.#outcome as R | GreenletExit | undefined);
  }

  /** The error it failed with. */
  get exception(): unknown {
    if (!this.#failed) return undefined;
    this.#collected = true;
    return this.#outcome;
  }

  get dead(): boolean {
    return this.#state === 'dead';
  }

  /** It was started and has not ended. */
  get started(): boolean {
    return this.#state !== 'created' && this.#state !== 'dead';
  }

  get name(): string {
    this.#name ??= `Greenlet-${++created}`;
    return this.#name;
  }
  set name(name: string) {
    this.#name = name;
  }

  /**
   * The greenlet that made this one; undefined outside, and when nobody keeps that any more: a job that
   * spawns its successor for ever must not hold all that were before it.
   */
  get spawningGreenlet(): Greenlet | undefined {
    return this.#spawner?.deref();
  }

  /** For those that it makes. */
  weakly(): WeakRef<Greenlet> {
    this.#weakly ??= new WeakRef(this as Greenlet);
    return this.#weakly;
  }

  /** Values of this greenlet alone, by Local or by any other key. */
  get locals(): Locals {
    this.localValues ??= new WeakMap();
    return Locals.of(this.localValues);
  }

  /** The stack trace of a parked greenlet, taken now; empty if it is not parked. */
  stack(): string {
    return this.#state === 'running' ? hub.stackOf(this) : '';
  }

  describe(): string {
    const frame = this.#site && siteFrame(this.#site);
    return `greenlet ${this.name}${frame ? `, spawned ${frame}` : ''}`;
  }

  /** For the report only: an error that nobody asked for so far. */
  get uncollected(): boolean {
    return this.#failed && !this.#collected;
  }

  /** For the report only. */
  collectForReport(): unknown {
    this.#collected = true;
    return this.#outcome;
  }
}

const describe = (greenlet: Greenlet) => greenlet.describe();
const successful = (greenlet: Greenlet) => greenlet.successful();
const failed = (greenlet: Greenlet) => !greenlet.successful();

/** Aborts in the context of who made it, whoever kills. */
class KillController extends AbortController {
  readonly #context = captureContext();

  kill(error: unknown): void {
    runInContext(this.#context, (reason) => this.abort(reason), error);
  }
}

/** In place of a controller that nobody has asked for: most greenlets are killed without. */
class Killed {
  constructor(readonly error: unknown) {}

  /** The first kill is the reason. */
  kill(): void {}
}

interface Failure {
  readonly greenlet: Greenlet;
  /** The one that the greenlet had at its end. */
  readonly context: AsyncContext;
}

// A failure may still be collected in the turn in which it happens: looked at when that is over.
let pending: Failure[] = [];

function reportLater(greenlet: Greenlet, context: AsyncContext): void {
  if (pending.push({ greenlet, context }) === 1) withoutContext(setReport);
}

function setReport(): void {
  setImmediate(() => {
    const failures = pending;
    pending = [];
    for (const { greenlet, context } of failures)
      if (greenlet.uncollected) runInContext(context, report, greenlet);
  });
}

function report(greenlet: Greenlet): void {
  const error = greenlet.collectForReport();
  hub.report(error, greenlet.describe());
  if (config.crashOnError) {
    setImmediate(() => {
      throw error;
    });
  }
}
