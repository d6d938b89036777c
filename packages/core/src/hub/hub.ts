/**
 * The hub: who runs next.
 *
 * The event loop runs on the main stack. What is ready waits in one queue, first in, first out, that
 * `drain` empties from a setImmediate. A task runs on a fiber, its carrier; when it parks it hands
 * over straight to the next ready one, which costs one switch in place of two, and goes back to the
 * main stack only when nothing is ready or the budget is spent:
 *
 *     main stack       carrier 1            carrier 2
 *     drain() -------> task A runs
 *                      A parks   ---------> task B goes on
 *                                           B ends; task C starts here, without any switch
 *     drain() <---------------------------- C parks, and nothing is ready
 */
import { executionAsyncId } from 'node:async_hooks';
import { inspect } from 'node:util';
import { Fiber, pinnedBy } from '@tendril/fiber';
import { CannotSwitchError } from '../errors.js';
import {
  captureContext,
  comeBack,
  enterContext,
  enterResource,
  exchangesContexts,
  goAway,
  inSharedResource,
  noContext,
  runInContext,
  withoutContext,
} from '../loop/async-context.js';
import { type Clock, systemClock } from '../loop/clock.js';
import { isLeaving, stay } from '../loop/leaving.js';
import { Ring } from '../loop/ring.js';
import { registerCopy } from '../own-code.js';
import { Call } from './call.js';
import { config } from './config.js';
import type { Task } from './task.js';

/** Called on whatever stack is at hand, outside any task: it must not block. */
export type HubCallback = () => void;

/** How many entries one turn may take before the event loop gets its turn. */
const turnBudget = 1024;
/** And how long one turn may take, in milliseconds, looked at every 64 entries. */
const turnTime = 10;
/** Idle carriers kept; each holds a stack. */
const idleLimit = 128;

export class Hub {
  /** The task whose code runs now. */
  current: Task | undefined = undefined;
  /** Replaced by tests. */
  clock: Clock = systemClock;
  /**
   * Gets every error that nobody collects: greenlets that failed unseen, links that threw. The
   * default prints it. Called in the AsyncLocalStorage context of what has failed, and outside any
   * greenlet: it must not block. What it throws is printed together with the error that it got.
   */
  onError: (error: unknown, source: string) => void = printError;

  /** Counts the turns of the hub. */
  turn = 0;

  /** What the spawns of one turn share, see spawn-site.ts. Nothing is held from one turn to the next. */
  ofTurn: object | undefined = undefined;

  readonly #ready = new Ring<Task | HubCallback | Call>();
  readonly #idle: Carrier[] = [];
  #armed = false;
  #draining = false;
  #budget = 0;
  #deadline = 0;
  #asyncId = 0;
  /** Set from the making of a carrier until its stack runs: the task that wanted it. */
  #starting: Task | undefined = undefined;
  /** The first of the tasks that have started and not ended. */
  #tasks: Task | undefined = undefined;
  #taskCount = 0;
  /** Set while a parked task is resumed only to say where it stands. */
  #probe: object | undefined = undefined;
  /** Set when a task went to the main stack to have its async scopes entered anew. */
  #reenter: Task | undefined = undefined;
  /** The task that runs on top of its caller: it goes back there, and never on to another. */
  #onTop: Task | undefined = undefined;

  /**
   * Puts an entry at the end of the ready queue; works from everywhere. A callback is called in the
   * AsyncLocalStorage context that this was called in.
   */
  schedule(entry: Task | HubCallback | Call): void {
    this.#ready.push(typeof entry === 'function' ? inContextOfCaller(entry) : entry);
    if (!this.#armed && !this.#draining) this.arm();
  }

  /** Calls `callback` outside any task, whoever runs. What it throws is reported as of `source`. */
  callOutside(callback: HubCallback | Call, source: string): void {
    const { current } = this;
    this.current = undefined;
    try {
      if (typeof callback === 'function') callback();
      else callback.run();
    } catch (error) {
      this.report(error, source);
    }
    this.current = current;
  }

  /** Gives an error that nobody collects to {@link onError}. Never throws. */
  report(error: unknown, source: string): void {
    const { current } = this;
    this.current = undefined;
    try {
      this.onError(error, source);
    } catch (second) {
      // Whoever runs here has nothing to do with either of them.
      if (this.onError !== printError) printError(error, source);
      printError(second, 'hub.onError');
    }
    this.current = current;
  }

  /** Whoever else is ready waits for the next turn of the event loop, after its callbacks of this one. */
  endTurn(): void {
    this.#budget = 0;
  }

  /** Makes sure that `drain` runs in this turn of the event loop. */
  arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    withoutContext(setDrain);
  }

  get readyCount(): number {
    return this.#ready.length;
  }

  get taskCount(): number {
    return this.#taskCount;
  }

  /** On the main stack. */
  drain(): void {
    this.#armed = false;
    this.#draining = true;
    stay();
    this.turn++;
    this.#budget = turnBudget;
    this.#deadline = performance.now() + turnTime;
    try {
      inSharedResource(drainReady);
    } finally {
      this.#draining = false;
      this.current = this.ofTurn = undefined;
      if (exchangesContexts()) enterContext(noContext); // who ran last is not held by them
      if (this.#ready.length > 0) this.arm();
      else {
        if (this.#taskCount === 0) this.#releaseCarriers();
        this.clock.onIdle?.();
      }
    }
  }

  // Nothing runs and nothing is parked: no stack is held. An idle carrier that is resumed without a
  // task ends.
  #releaseCarriers(first = this.#idle.pop()): void {
    for (let carrier = first; carrier; carrier = this.#idle.pop()) {
      carrier.released = true;
      carrier.fiber.resume();
    }
  }

  /** The body of {@link drain}, in the resource that all tasks share. */
  drainReady(): void {
    const asyncId = executionAsyncId();
    for (;;) {
      const task = this.#reenter ?? this.#next();
      if (!task) return;
      this.#reenter = undefined;
      this.#asyncId = asyncId;
      if (task.scopes) this.#inScopes(task, 0, () => this.#resumeFromMain(task));
      else this.#resumeFromMain(task);
    }
  }

  #resumeFromMain(task: Task): void {
    try {
      this.#fiberOf(task).resume();
    } catch (error) {
      this.#failToStart(error);
    }
  }

  // A task inside AsyncResource scopes: they are entered here, around the resume, so that Node's
  // stack of async ids is balanced whenever the main stack gets control back.
  #inScopes<T>(task: Task, depth: number, resume: () => T): T {
    const scope = task.scopes?.[depth];
    if (scope) return enterResource(scope.resource, () => this.#inScopes(task, depth + 1, resume));
    this.#asyncId = executionAsyncId();
    return resume();
  }

  /**
   * Lets `task` run now, by `resume`, on top of the caller, whether that is a task or not. Returns when
   * it has parked, left or ended; what it does after a park is the hub's business, as ever.
   */
  runOnTop<T>(task: Task, resume: () => T): T {
    const { current } = this;
    const [asyncId, onTop] = [this.#asyncId, this.#onTop];
    // A callback of the hub has stores, too.
    const context = exchangesContexts() ? goAway(current?.scopes) : undefined;
    try {
      return inSharedResource(() => {
        this.#onTop = task;
        let result = this.#inScopes(task, 0, resume);
        while (this.#reenter === task) {
          this.#reenter = undefined;
          result = this.#inScopes(task, 0, () => (task.fiber as Fiber).resume() as T);
        }
        return result;
      });
    } finally {
      this.#asyncId = asyncId;
      this.#onTop = onTop;
      this.current = current;
      if (exchangesContexts()) comeBack(context, current?.scopes);
    }
  }

  /** True while somebody waits in {@link runOnTop} for this task. */
  isOnTop(task: Task): boolean {
    return this.#onTop === task;
  }

  /** The fiber to switch to for `task`; a task that starts gets a carrier. */
  #fiberOf(task: Task): Fiber {
    if (task.fiber) return task.fiber;
    const size = stackSizeOf(task);
    let carrier = size === config.stackSize ? this.#idle.pop() : undefined;
    if (carrier?.stackSize !== size) {
      // The setting was changed, and is the same for the others that are idle.
      if (carrier) this.#releaseCarriers(carrier);
      carrier = undefined;
    }
    if (!carrier) {
      this.#starting = task;
      carrier = new Carrier(size);
    }
    carrier.task = task;
    return carrier.fiber;
  }

  // Where there is no memory for a carrier or its stack, the task that wanted it must fail, and not
  // whoever was about to make room for it.
  #failToStart(error: unknown): void {
    const task = this.#starting;
    if (!task) throw error;
    this.#starting = undefined;
    task.failToStart(error);
  }

  /** Runs callbacks until a task is at the head, and takes it. Undefined: back to the event loop. */
  #next(): Task | undefined {
    for (;;) {
      if (this.#budget <= 0) return undefined;
      const entry = this.#ready.shift();
      if (entry === undefined) return undefined;
      if ((--this.#budget & 63) === 0 && performance.now() > this.#deadline) this.#budget = 0;
      if (typeof entry === 'function') runInContext(noContext, callOutside, entry);
      else if (entry instanceof Call) runInContext(entry.context, callOutside, entry);
      else return entry;
    }
  }

  /** False where the current task could not be left, or nobody may go on. */
  canSwitch(): boolean {
    return executionAsyncId() === this.#asyncId && !isLeaving() && pinnedBy() === undefined;
  }

  /** Throws where the current task could not be left, or nobody may go on. */
  checkSwitch(): void {
    if (this.canSwitch()) return;
    if (isLeaving()) throw CannotSwitchError.leaving();
    const pinned = pinnedBy();
    if (pinned) throw new CannotSwitchError(pinned);
    throw new CannotSwitchError(
      'a callback scope of native code, or an async resource that Node entered, is open on its stack',
    );
  }

  /**
   * Parks the current task: somebody else runs until it is scheduled again. The caller has called
   * {@link checkSwitch} and arranged for a wake-up.
   */
  park(task: Task): void {
    task.parks++;
    if (exchangesContexts()) task.context = goAway(task.scopes);
    let next = task.scopes || this.#onTop === task ? undefined : this.#next();
    if (next?.scopes) {
      this.#reenter = next;
      next = undefined;
    }
    if (next !== task) {
      // Every frame here stays on each parked stack: no helper between this and the switch.
      this.current = undefined;
      try {
        const fiber = next && (next.fiber ?? this.#fiberOf(next));
        if (fiber) fiber.transfer();
        else Fiber.suspend();
      } catch (error) {
        // Not `next`: a parked stack would hold it until it goes on.
        this.#failToStart(error);
        Fiber.suspend();
      }
      while (this.#probe) {
        Error.captureStackTrace(this.#probe, Hub.prototype.park);
        Fiber.suspend();
      }
    }
    this.current = task;
    if (exchangesContexts()) comeBack(task.context, task.scopes);
  }

  /** Goes to the main stack and back at once, there inside the scopes that `task` now has. */
  reenterScopes(task: Task): void {
    if (exchangesContexts()) task.context = goAway(task.scopes);
    this.#reenter = task;
    this.current = undefined;
    Fiber.suspend();
    while (this.#probe) Fiber.suspend(); // on its way to the main stack it has nothing to show
    this.current = task;
    if (exchangesContexts()) comeBack(task.context, task.scopes);
  }

  /** On a carrier whose task has ended: the task to run next on this very stack, if any. */
  carry(carrier: Carrier): Task | undefined {
    for (;;) {
      let next = this.#next();
      if (next && !next.fiber && !next.scopes && stackSizeOf(next) === carrier.stackSize)
        return next;
      if (next && (next.scopes || !next.fiber)) {
        this.#reenter = next;
        next = undefined;
      }
      const keep = this.#idle.length < idleLimit && carrier.stackSize === config.stackSize;
      if (keep) {
        this.#idle.push(carrier);
        carrier.task = undefined;
        enterContext(noContext); // else it would hold the stores of the task that has ended
        if (next) (next.fiber as Fiber).transfer();
        else Fiber.suspend();
        const task = carrier.task;
        carrier.task = undefined;
        if (task || carrier.released) return task;
      } else {
        // The stack goes, and its end leads to the main stack: `next` is resumed from there.
        if (next) this.#reenter = next;
        return undefined;
      }
    }
  }

  begin(task: Task): void {
    this.#starting = undefined;
    enterContext(task.context);
    task.context = undefined;
    this.enter(task);
  }

  end(task: Task): void {
    task.interrupts = undefined;
    this.leave(task);
  }

  /** `task` runs from here on, until it parks or leaves. */
  enter(task: Task): void {
    this.current = task;
    task.next = this.#tasks;
    if (this.#tasks) this.#tasks.previous = task;
    this.#tasks = task;
    this.#taskCount++;
  }

  /** The current task stops for good, or until somebody enters it again: the hub forgets it. */
  leave(task: Task): void {
    this.current = undefined;
    task.fiber = undefined;
    if (task.next) task.next.previous = task.previous;
    if (task.previous) task.previous.next = task.next;
    else this.#tasks = task.next;
    task.next = task.previous = undefined;
    this.#taskCount--;
  }

  /** The tasks that have started and not ended, newest first. */
  *tasks(): Iterable<Task> {
    for (let task = this.#tasks; task; task = task.next) yield task;
  }

  /**
   * The stack trace of a parked task, taken by a visit to its fiber; empty where there is no way to take
   * one: of a task that runs, or that somebody on top of it runs for.
   */
  stackOf(task: Task): string {
    const { fiber } = task;
    if (!fiber || task === this.current) return '';
    const probe = {};
    // A callback of the hub runs on the stack of who has just parked.
    if (fiber === Fiber.current) Error.captureStackTrace(probe, Hub.prototype.park);
    else if (fiber.state === 'suspended') {
      this.#probe = probe;
      try {
        fiber.resume();
      } finally {
        this.#probe = undefined;
      }
    }
    return framesOf(probe);
  }
}

/** Read here, and not on the visited stack: an Error.prepareStackTrace of the program runs then. */
function framesOf(probe: { stack?: unknown }): string {
  let stack: unknown;
  try {
    stack = probe.stack;
  } catch {
    return '';
  }
  return typeof stack === 'string' ? stack.split('\n').slice(1).join('\n') : '';
}

const stackSizeOf = (task: Task) => task.ownStackSize ?? config.stackSize;

/** A fiber that runs tasks one after the other, all of which want a stack of this size. */
export class Carrier {
  task: Task | undefined = undefined;
  released = false;
  readonly stackSize: number | undefined;
  readonly fiber: Fiber;

  constructor(stackSize: number | undefined) {
    this.stackSize = stackSize;
    const options = stackSize === undefined ? undefined : { stackSize };
    this.fiber = new Fiber(() => {
      let task = this.task;
      this.task = undefined;
      while (task) {
        task.fiber = this.fiber;
        hub.begin(task);
        const { runToEnd } = task;
        runToEnd(task);
        hub.end(task);
        task = hub.carry(this);
      }
    }, options);
  }
}

function printError(error: unknown, source: string): void {
  let text: string;
  try {
    text = inspect(error);
  } catch {
    text = 'an error that cannot be shown: its own inspection throws';
  }
  try {
    process.stderr.write(`Uncaught error in ${source}:\n${text}\n`);
  } catch {
    // There is nobody left to tell.
  }
}

/** The hub of this thread. */
export const hub = new Hub();
registerCopy(() => hub.current !== undefined);

const drainHub = () => hub.drain();
const drainReady = () => hub.drainReady();
const setDrain = () => {
  setImmediate(drainHub);
};

const callOutside = (callback: HubCallback | Call) =>
  hub.callOutside(callback, 'a callback of the hub');

function inContextOfCaller(callback: HubCallback): HubCallback {
  const context = captureContext();
  if (context === noContext) return callback;
  return () => runInContext(context, callOutside, callback);
}

export function getHub(): Hub {
  return hub;
}
