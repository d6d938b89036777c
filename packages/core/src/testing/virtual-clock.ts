import { InvalidArgumentError } from '../errors.js';
import { type Clock, getHub, snapshotContext, type Timer } from '../index.js';
import { onQuiet } from './quiet.js';
import { TimerHeap, type VirtualTimer } from './timer-heap.js';

export interface VirtualClockOptions {
  /** False: time moves only by {@link VirtualClock.advance}. Default true. */
  autoJump?: boolean;
}

/**
 * Time that jumps (trio.testing.MockClock with autojump_threshold 0): when every greenlet is parked,
 * no promise callback is left and one whole turn of the event loop has brought nothing, it moves on to
 * the next timer. An hour of sleeping takes no time, and timers of the same time fire in the order of
 * their creation, in every run.
 *
 * It rules greenlets' time only: sleep, Timeout, `timeout` options, spawnLater. Node's own setTimeout
 * and real input and output take as long as they take, and are not waited for: let a greenlet that
 * works with them sleep in real time, or switch `autoJump` off meanwhile.
 *
 * @example
 *     using clock = VirtualClock.install();
 *     await run(() => sleep(3_600_000));
 *     assert.equal(clock.now(), 3_600_000);
 */
export class VirtualClock implements Clock, Disposable {
  #now = 0;
  #created = 0;
  #autoJump: boolean;
  #previous: Clock | undefined;
  #stopWatching: (() => void) | undefined;
  readonly #timers = new TimerHeap();

  constructor(options?: VirtualClockOptions) {
    this.#autoJump = options?.autoJump ?? true;
  }

  /** Makes one and puts it in place of the hub's clock. */
  static install(options?: VirtualClockOptions): VirtualClock {
    return new VirtualClock(options).install();
  }

  /** Puts it in place of the hub's clock. Timers that run already stay with the former one. */
  install(): this {
    const hub = getHub();
    if (this.#previous) return this;
    this.#previous = hub.clock;
    hub.clock = this;
    this.onIdle();
    return this;
  }

  /** Puts the former clock back. What still waits for this one's timers waits for ever. */
  uninstall(): void {
    if (!this.#previous) return;
    getHub().clock = this.#previous;
    this.#previous = undefined;
    this.#stopWatching?.();
    this.#stopWatching = undefined;
  }

  [Symbol.dispose](): void {
    this.uninstall();
  }

  /** Milliseconds since the clock was made. */
  now(): number {
    return this.#now;
  }

  /** False: time moves only by {@link advance}. */
  get autoJump(): boolean {
    return this.#autoJump;
  }
  set autoJump(autoJump: boolean) {
    this.#autoJump = autoJump;
    this.onIdle();
  }

  /** Timers that have not fired. */
  get pending(): number {
    return this.#timers.size;
  }

  /** For the hub, as {@link Clock} has it. */
  setTimer(ms: number, fire: () => void): Timer {
    const inContext = snapshotContext();
    const timer: VirtualTimer = {
      at: this.#now + ms,
      order: this.#created++,
      fire: () => inContext(() => getHub().callOutside(fire, 'a timer')),
      cancelled: false,
    };
    if (ms === Number.POSITIVE_INFINITY) return { cancel() {} };
    this.#timers.push(timer);
    this.onIdle();
    return { cancel: () => this.#timers.cancel(timer) };
  }

  /**
   * Moves `ms` milliseconds on and fires what falls due on the way, in order. The greenlets that this
   * wakes run when the caller parks or returns to the event loop, not within it (trio's `jump`).
   * @throws InvalidArgumentError
   */
  advance(ms: number): void {
    if (!(typeof ms === 'number' && ms >= 0 && ms < Number.POSITIVE_INFINITY))
      throw new InvalidArgumentError('ms', 'a finite number of milliseconds, 0 or more', ms);
    this.#moveTo(this.#now + ms);
  }

  #moveTo(until: number): void {
    for (let next = this.#timers.peek(); next && next.at <= until; next = this.#timers.peek()) {
      this.#timers.shift();
      this.#now = Math.max(this.#now, next.at);
      next.fire();
    }
    this.#now = Math.max(this.#now, until);
  }

  /** For the hub: nothing is ready. */
  onIdle(): void {
    if (!this.#previous || !this.#autoJump || this.#stopWatching || this.pending === 0) return;
    this.#stopWatching = onQuiet('clock', () => this.#jump());
  }

  #jump(): void {
    this.#stopWatching = undefined;
    const next = this.#timers.peek();
    if (!next || !this.#autoJump) return;
    this.#moveTo(next.at);
    this.onIdle();
  }
}
