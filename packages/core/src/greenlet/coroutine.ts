/**
 * Coroutine: a greenlet that is started and continued by hand.
 *
 * A frame of the coroutine's own stack must never refer to the Coroutine while it is suspended: it
 * would keep itself alive, and one that nobody can resume any more would not be found (see "unwound"
 * at @tendril/fiber). So all bookkeeping is done on the side of `resume`, or in frames that are gone
 * before the switch; what a suspended stack holds is the Greenlet, which leads neither to the
 * Coroutine nor to its fiber until it is resumed.
 */
import { Fiber, FiberError, type FiberOptions } from '@tendril/fiber';
import { isExit } from '../errors.js';
import '../hub/async-scope.js';
import { hub } from '../hub/hub.js';
import { comeBack, exchangesContexts, goAway } from '../loop/async-context.js';
import { Greenlet } from './greenlet.js';
import { atSite } from './spawn-site.js';

export type CoroutineState = 'created' | 'running' | 'suspended' | 'done';

interface Parts {
  readonly greenlet: Greenlet;
  readonly fiber: Fiber;
}

// A function of its own: what these closures share is all that the new stack can ever refer to.
function makeParts(fn: (first?: unknown) => unknown, options: FiberOptions | undefined): Parts {
  let passed: unknown;
  let value: unknown;
  let failed = false;
  let error: unknown;
  // What fn returns is for resume(): a promise is a value here, and not followed.
  const body = () => {
    try {
      value = fn(passed);
    } catch (reason) {
      failed = true;
      error = reason;
      throw reason;
    }
  };
  // Without a spawn site: a trace that nobody has read yet holds the objects of its frames.
  const greenlet = atSite({}, () => new Greenlet(body));
  const fiber = new Fiber((first) => {
    passed = first;
    hub.begin(greenlet);
    greenlet.runToEnd(greenlet);
    const collected = finish(greenlet, failed, error);
    if (failed && !collected) throw error;
    return value;
  }, options);
  return { greenlet, fiber };
}

/** True if the error, if there is one, needs not be thrown. */
function finish(greenlet: Greenlet, failed: boolean, error: unknown): boolean {
  const coroutine = greenlet.coroutine as Coroutine | undefined;
  const late = coroutine !== undefined && !hub.isOnTop(greenlet);
  coroutine?.end();
  greenlet.coroutine = undefined;
  // One that is unwound has been left long ago.
  if (hub.current === greenlet) hub.end(greenlet);
  if (!failed) return true;
  if (!late) {
    void greenlet.exception; // asked for: resume() throws it
    return false;
  }
  if (coroutine.onLateError && !isExit(error)) {
    void greenlet.exception;
    coroutine.onLateError(error);
  }
  return true;
}

/**
 * Runs on top of whoever resumes it, in a greenlet or outside, and stops at `Coroutine.suspend` as a
 * generator does at `yield`, however deep in calls (greenlet's `switch()`, in one direction). Inside it
 * is a greenlet: blocking calls, timeouts, locals and `kill` work. A blocking call goes back to the
 * resumer, too: `resume` then returns undefined, {@link state} is "running", and the hub continues the
 * coroutine when what it waits for has come.
 */
export class Coroutine<R = unknown> {
  #fn: ((first?: unknown) => R) | undefined;
  readonly #options: FiberOptions | undefined;
  #parts: Parts | undefined = undefined;
  #state: CoroutineState = 'created';

  /**
   * Nothing runs, and no stack is taken, before the first {@link resume}. That throws FiberError
   * ERR_FIBER_STACK_SIZE if `stackSize` is out of range.
   */
  constructor(fn: (first?: unknown) => R, options?: FiberOptions) {
    this.#fn = fn;
    this.#options = options;
  }

  /**
   * Gets the error of a coroutine that fails after a blocking call, when nobody waits in `resume` for
   * it. Where no subclass has it, the hub reports the error, as that of any greenlet that nobody
   * collects.
   */
  onLateError?(error: unknown): void;

  /** The coroutine whose code runs now. */
  static get current(): Coroutine | undefined {
    return hub.current?.coroutine as Coroutine | undefined;
  }

  /**
   * Stops the current coroutine; `resume` returns `value`. Returns what the next `resume` passes. A kill
   * or a timeout that came meanwhile is thrown then.
   * @throws FiberError ERR_NOT_IN_FIBER outside a coroutine; CannotSwitchError
   */
  static suspend(value?: unknown): unknown {
    const task = leave();
    const passed = Fiber.suspend(value);
    if (task.interrupts) task.throwInterrupt();
    return passed;
  }

  get state(): CoroutineState {
    return this.#state;
  }

  /** The greenlet that it is; undefined before the start. */
  get greenlet(): Greenlet | undefined {
    return this.#parts?.greenlet;
  }

  /**
   * Starts or continues it. Returns what it suspends with or returns, throws what it throws, and
   * returns undefined when it goes into a blocking call.
   * @throws FiberError ERR_FIBER_RUNNING (also while it is in a blocking call), ERR_FIBER_DONE,
   *   ERR_FIBER_NO_MEMORY
   */
  resume(value?: unknown): R | unknown {
    return this.#run(({ fiber }) => fiber.resume(value));
  }

  /** Like {@link resume}, but `suspend` throws `error`. One that has not started ends at once. */
  throw(error: unknown): unknown {
    if (this.#state === 'created') {
      this.end();
      throw error;
    }
    return this.#run(({ fiber }) => fiber.throw(error));
  }

  #run(resume: (parts: Parts) => unknown): unknown {
    if (this.#state === 'running') throw new FiberError('ERR_FIBER_RUNNING');
    if (this.#state === 'done') throw new FiberError('ERR_FIBER_DONE');
    const starts = this.#state === 'created';
    this.#parts ??= makeParts(this.#fn as (first?: unknown) => R, this.#options);
    const parts = this.#parts;
    const { greenlet, fiber } = parts;
    greenlet.coroutine = this;
    this.#state = 'running';
    return hub.runOnTop(greenlet, () => {
      greenlet.fiber = fiber; // not before it runs: what is suspended here is not parked
      if (!starts) {
        hub.enter(greenlet);
        if (exchangesContexts()) comeBack(greenlet.context, greenlet.scopes);
      }
      try {
        return resume(parts);
      } finally {
        // No stack could be had: nothing has run.
        if (fiber.state === 'created') {
          this.#state = 'created';
          greenlet.fiber = greenlet.coroutine = undefined;
        }
      }
    });
  }

  /** For this module only. */
  suspended(): void {
    this.#state = 'suspended';
  }

  /** For this module only. */
  end(): void {
    this.#state = 'done';
    this.#fn = this.#parts = undefined;
  }
}

function leave(): Greenlet {
  const task = hub.current as Greenlet | undefined;
  const coroutine = task?.coroutine as Coroutine | undefined;
  if (!task || !coroutine) throw new FiberError('ERR_NOT_IN_FIBER');
  hub.checkSwitch();
  if (exchangesContexts()) task.context = goAway(task.scopes);
  coroutine.suspended();
  task.coroutine = undefined;
  hub.leave(task);
  return task;
}
