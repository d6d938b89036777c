/** Timeout: throws itself into a greenlet that takes too long, and aborts what it waits for. */
import { InvalidArgumentError, NotInGreenletError, TendrilError } from '../errors.js';
import { hub } from '../hub/hub.js';
import type { Ending, Interrupt, Task } from '../hub/task.js';
import { checkTimeout, startTimer } from '../hub/timed-wait.js';
import { limitTraces } from '../own-code.js';

/**
 * A limit on everything the current greenlet does from `start()` to `cancel()`, or to its own end
 * (gevent.Timeout).
 *
 * When the time is up it is thrown at the greenlet's park point, itself or the given error, and the
 * operation that the greenlet is parked in is aborted. Nested timeouts are told apart by identity:
 *
 * @example
 *     using limit = Timeout.startNew(5000);
 *     try {
 *       return query();
 *     } catch (error) {
 *       if (error !== limit) throw error; // an outer timeout, or another error
 *       return cached;
 *     }
 */
export class Timeout extends TendrilError implements Disposable {
  /** Milliseconds; undefined never fires, 0 on the next turn of the hub. */
  readonly ms: number | undefined;
  readonly #error: unknown;
  #task: Task | undefined;
  #interrupt: Interrupt | undefined;
  #cancelTimer: (() => void) | undefined;
  #ending: Ending | undefined;

  /** @throws InvalidArgumentError if `ms` is neither undefined nor a number from 0 on */
  constructor(ms?: number, error?: unknown) {
    // Where a timeout was made says little, where it strikes all: see beforeThrow().
    const limit = limitTraces(0);
    super('ERR_TIMEOUT', ms === undefined ? 'timed out' : `${ms} ms passed without an end`);
    limitTraces(limit);
    checkTimeout(ms, 'ms');
    this.ms = ms;
    this.#error = error;
  }

  /** Makes one and starts it; give it to `using`, or cancel it in a `finally`. */
  static startNew(ms?: number, error?: unknown): Timeout {
    return new Timeout(ms, error).start();
  }

  /** Begins to count for the current greenlet. @throws NotInGreenletError */
  start(): this {
    const task = hub.current;
    if (!task) throw new NotInGreenletError('Timeout.start()');
    if (this.pending)
      throw new InvalidArgumentError('Timeout.start()', 'called once', 'a second call');
    this.#task = task;
    const { ms } = this;
    if (ms !== undefined && ms !== Number.POSITIVE_INFINITY) {
      this.#cancelTimer = startTimer(ms, () => this.#fire());
      this.#ending = task.addEnding(this);
    }
    return this;
  }

  #fire(): void {
    const task = this.#task as Task;
    this.#cancelTimer = undefined;
    this.#interrupt = { error: this.#error ?? this, onThrow: this };
    task.interrupt(this.#interrupt);
  }

  /** Called on the greenlet's own stack just before the error is thrown there. */
  beforeThrow(): void {
    if (this.#error === undefined) Error.captureStackTrace(this, this.beforeThrow);
    this.#interrupt = undefined;
    this.#leave();
  }

  #leave(): void {
    if (this.#ending) this.#task?.removeEnding(this.#ending);
    this.#ending = this.#task = undefined;
  }

  /** Stops counting. Harmless at any time. */
  cancel(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#interrupt) this.#task?.withdraw(this.#interrupt);
    this.#interrupt = undefined;
    this.#leave();
  }

  close(): void {
    this.cancel();
  }

  [Symbol.dispose](): void {
    this.cancel();
  }

  /** True from `start()` until it fires or is cancelled. */
  get pending(): boolean {
    return this.#cancelTimer !== undefined;
  }
}

/** The same class, under Node's kind of name. */
export { Timeout as TimeoutError };

/** A Timeout that is thrown by a call's own `timeout` option. Its trace begins with the caller of `above`. */
export function timedOut(
  ms: number | undefined,
  above: (...args: never[]) => unknown = timedOut,
): Timeout {
  const timeout = new Timeout(ms);
  Error.captureStackTrace(timeout, above);
  return timeout;
}

/**
 * Runs `fn` for at most `ms` milliseconds. When its own time is up it returns `value` if the option is
 * given, and throws the Timeout otherwise; other timeouts pass through.
 */
export function withTimeout<R, V = never>(
  ms: number | undefined,
  fn: () => R,
  options?: { value?: V },
): R | V {
  const timeout = Timeout.startNew(ms);
  try {
    return fn();
  } catch (error) {
    if (error === timeout && options && 'value' in options) return options.value as V;
    throw error;
  } finally {
    timeout.cancel();
  }
}
