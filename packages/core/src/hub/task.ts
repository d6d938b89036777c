/** What the hub schedules: something that runs on a fiber and can park. Greenlets are tasks. */
import type { Fiber } from '@tendril/fiber';
import { type AsyncContext, captureContext, type Scope } from '../loop/async-context.js';
import { hub } from './hub.js';
import type { Waiter } from './waiter.js';

/** Something thrown into a task from outside: a kill, or a timeout that fired. */
export interface Interrupt {
  readonly error: unknown;
  /** It has ended a wait: too late to be withdrawn. */
  committed?: boolean;
  /** Told on the task's own stack, just before the error is thrown. */
  readonly onThrow?: { beforeThrow(): void };
}

/** An entry in a task's list of what ends with its stack. */
export interface Ending {
  readonly what: { cancel(): void };
  newer: Ending | undefined;
  older: Ending | undefined;
}

/**
 * That a task takes part in something of another one's, as all do that were made within it, and those that
 * they make: see sync/turns.ts. Holds nobody, for a member may live much longer.
 */
export interface Membership {
  outer: Membership | undefined;
  over: boolean;
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

export abstract class Task {
  /** The fiber whose stack this task is on; undefined before the start and after the end. */
  fiber: Fiber | undefined = undefined;
  /** The async context to start with, and before Node 24 the one to go on with. */
  context: AsyncContext = captureContext();
  /** What the task is parked in. */
  waiter: Waiter<unknown> | undefined = undefined;
  /** Interrupts that are not delivered yet, oldest first. */
  interrupts: Interrupt[] | undefined = undefined;
  /** Timers and the like that are cancelled when its stack ends, newest first. */
  endings: Ending | undefined = undefined;
  /** How often it has parked. */
  parks = 0;
  /** What it takes part in, the innermost first. */
  membership: Membership | undefined = hub.current?.membership;
  /** AsyncResource scopes that the task's code is in: see async-scope.ts. */
  scopes: Scope[] | undefined = undefined;
  /** Bytes of address space for its stack; undefined: as `config.stackSize` says when it starts. */
  ownStackSize: number | undefined = undefined;
  /** Whose code this task runs, if somebody resumes it by hand: see greenlet/coroutine.ts. */
  coroutine: object | undefined = undefined;
  /** Neighbours in the hub's list of tasks that have started and not ended. */
  next: Task | undefined = undefined;
  previous: Task | undefined = undefined;
  /** Errors that interrupts have thrown here: weakly, or the last one that is no object. */
  #thrown: WeakSet<object> | undefined = undefined;
  #thrownValue: unknown = undefined;

  /**
   * Runs the code of `self`, this task, from start to end, on a carrier. Never throws. It is called
   * without `this`: stack traces hold the `this` of their frames until they are read, and one that was
   * taken in this task must not hold it.
   */
  abstract runToEnd(self: this): void;
  /** Ends a task that could not be started. */
  abstract failToStart(error: unknown): void;
  /** For reports. */
  abstract describe(): string;

  /**
   * Throws `error` at the task's park point, once it gets there. The task must not be the current
   * one, nor ended. Harmless to a task that has been woken already and not run yet: a primitive that
   * can take back what it gave does so, and otherwise the error waits for the next park.
   */
  interrupt(interrupt: Interrupt): void {
    if (this.interrupts) this.interrupts.push(interrupt);
    else this.interrupts = [interrupt];
    const waiter = this.waiter;
    if (waiter && !waiter.settled) {
      waiter.settled = waiter.interrupted = true;
      interrupt.committed = true;
      hub.schedule(this);
    } else if (waiter?.revoke()) {
      interrupt.committed = true;
    }
  }

  /** Withdraws an interrupt that is not delivered yet. */
  withdraw(interrupt: Interrupt): void {
    if (interrupt.committed) return;
    const at = this.interrupts?.indexOf(interrupt) ?? -1;
    if (at >= 0) this.interrupts?.splice(at, 1);
    if (this.interrupts?.length === 0) this.interrupts = undefined;
  }

  /** Has `what` cancelled when the stack of this task ends; see {@link removeEnding}. */
  addEnding(what: { cancel(): void }): Ending {
    const ending = { what, newer: undefined, older: this.endings };
    if (this.endings) this.endings.newer = ending;
    this.endings = ending;
    return ending;
  }

  removeEnding(ending: Ending): void {
    const { newer, older } = ending;
    if (newer) newer.older = older;
    else if (this.endings === ending) this.endings = older;
    if (older) older.newer = newer;
    ending.newer = ending.older = undefined;
  }

  cancelEndings(): void {
    for (let ending = this.endings; ending; ending = this.endings) {
      this.removeEnding(ending);
      ending.what.cancel();
    }
  }

  /** Throws the oldest interrupt, if there is one. On the task's own stack. */
  throwInterrupt(): void {
    const first = this.interrupts?.shift();
    if (this.interrupts?.length === 0) this.interrupts = undefined;
    if (!first) return;
    first.onThrow?.beforeThrow();
    const { error } = first;
    if (isObject(error)) {
      this.#thrown ??= new WeakSet();
      this.#thrown.add(error);
    } else this.#thrownValue = error;
    throw error;
  }

  /** Whether an interrupt has thrown this error here. */
  hasThrown(error: unknown): boolean {
    if (isObject(error)) return this.#thrown?.has(error) ?? false;
    return error !== undefined && error === this.#thrownValue;
  }
}
