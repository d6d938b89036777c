/**
 * One wait of one task: the primitive under every blocking call.
 *
 * It is settled once, by a wake-up or by an interrupt, whichever is first; after that wake() says
 * false, and the waker turns to the next in line. So nothing is ever handed to the dead.
 */
import { NotInGreenletError } from '../errors.js';
import { withCaller } from './caller-frames.js';
import { hub } from './hub.js';
import type { Task } from './task.js';

export class Waiter<T> {
  readonly task: Task;
  settled = false;
  /** Settled by a kill or a timeout, not by a wake-up. */
  interrupted = false;
  #failed = false;
  #value: T | unknown = undefined;
  #undo: ((value: T) => void) | undefined = undefined;
  #revoked = false;

  /** @throws NotInGreenletError */
  constructor(what?: string) {
    const task = hub.current;
    if (!task) throw new NotInGreenletError(what);
    this.task = task;
  }

  /** Lets the task go on with `value`. False if it does not wait any more. */
  wake(value: T): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.#value = value;
    if (this.task.waiter === this) hub.schedule(this.task);
    return true;
  }

  /** Lets the task go on by throwing `reason`. */
  fail(reason: unknown): boolean {
    if (this.settled) return false;
    this.#failed = true;
    return this.wake(reason as T);
  }

  /**
   * Takes a value back that the task has been woken with and not seen yet. At once and not when the
   * task runs: two that die in one turn would else give back in the wrong order. False if this wait
   * cannot give anything back.
   */
  revoke(): boolean {
    const undo = this.#undo;
    if (!undo || this.#failed || this.interrupted || this.#revoked) return false;
    this.#revoked = true;
    undo(this.#value as T);
    return true;
  }

  /**
   * Parks the task until it is settled. `abort` stops the operation: it runs exactly once, with the
   * error that is about to be thrown, when the wait ends by an interrupt before a wake-up. `undo` takes
   * back a value that was handed over when an interrupt comes before the task has run again; without
   * it the value is returned and the interrupt stays pending.
   */
  wait(abort?: (reason: unknown) => void, undo?: (value: T) => void): T {
    const { task } = this;
    if (!this.settled) {
      if (task.interrupts) {
        this.settled = this.interrupted = true;
      } else {
        try {
          hub.checkSwitch();
        } catch (error) {
          this.settled = true;
          abort?.(error);
          throw error;
        }
        this.#undo = undo;
        task.waiter = this as Waiter<unknown>;
        hub.park(task);
        task.waiter = undefined;
      }
    }
    if (task.interrupts) this.#deliver(abort, undo);
    if (this.#failed) throw withCaller(this.#value, this.wait);
    return this.#value as T;
  }

  #deliver(abort?: (reason: unknown) => void, undo?: (value: T) => void): void {
    if (this.#revoked) {
      // revoke() has taken the value back
    } else if (this.interrupted) abort?.(this.task.interrupts?.[0]?.error);
    else if (undo && !this.#failed) undo(this.#value as T);
    else return;
    this.task.throwInterrupt();
  }
}
