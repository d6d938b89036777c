import { type Clock, getHub, type Timer } from '../index.js';

interface Pending {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

/**
 * Time that jumps (trio.testing.MockClock): when every greenlet is parked and one turn of the event
 * loop has brought nothing, it moves on to the next timer. An hour of sleeping takes no time, and timers
 * fire in one order in every run.
 *
 * @example
 *     using clock = VirtualClock.install();
 *     await run(() => sleep(3_600_000));
 *     assert.equal(clock.now(), 3_600_000);
 */
export class VirtualClock implements Clock, Disposable {
  #now = 0;
  #order = 0;
  #pending: Pending[] = [];
  #previous: Clock | undefined;
  #watching = false;
  /** False: time moves only by {@link advance}. */
  autoJump: boolean;

  constructor(options?: { autoJump?: boolean }) {
    this.autoJump = options?.autoJump ?? true;
  }

  /** Makes one and puts it in place of the hub's clock. */
  static install(options?: { autoJump?: boolean }): VirtualClock {
    return new VirtualClock(options).install();
  }

  install(): this {
    const hub = getHub();
    if (this.#previous) return this;
    this.#previous = hub.clock;
    hub.clock = this;
    return this;
  }

  /** Puts the former clock back. */
  uninstall(): void {
    if (this.#previous) getHub().clock = this.#previous;
    this.#previous = undefined;
  }

  [Symbol.dispose](): void {
    this.uninstall();
  }

  /** Milliseconds since the clock was made. */
  now(): number {
    return this.#now;
  }

  setTimer(ms: number, fire: () => void): Timer {
    const timer: Pending = { at: this.#now + ms, order: this.#order++, fire };
    if (ms !== Number.POSITIVE_INFINITY) {
      this.#pending.push(timer);
      if (this.autoJump && getHub().readyCount === 0) this.onIdle();
    }
    return {
      cancel: () => {
        this.#pending = this.#pending.filter((other) => other !== timer);
      },
    };
  }

  /** Timers that have not fired. */
  get pending(): number {
    return this.#pending.length;
  }

  /** Moves `ms` milliseconds on and fires what falls due on the way, in order. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (let next = this.#next(); next && next.at <= until; next = this.#next()) this.#fire(next);
    this.#now = until;
  }

  #next(): Pending | undefined {
    let first: Pending | undefined;
    for (const timer of this.#pending)
      if (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order))
        first = timer;
    return first;
  }

  #fire(timer: Pending): void {
    this.#pending = this.#pending.filter((other) => other !== timer);
    this.#now = Math.max(this.#now, timer.at);
    timer.fire();
  }

  /** Called by the hub when nothing is ready. */
  onIdle(): void {
    if (!this.autoJump || this.#watching || this.#pending.length === 0) return;
    this.#watching = true;
    // One whole turn of the event loop, so that promises and I/O that are about to end come first.
    setImmediate(() => setImmediate(() => this.#jump()));
  }

  #jump(): void {
    this.#watching = false;
    if (!this.#previous || getHub().readyCount > 0) return; // called again when that is done
    const timer = this.#next();
    if (!timer) return;
    this.#fire(timer);
    if (getHub().readyCount === 0) this.onIdle();
  }
}
