/** Time as the hub sees it. The tests put a virtual clock in its place. */

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since some fixed point; never goes back. */
  now(): number;
  /** Calls `fire` once on the main stack, not before `ms` milliseconds from now. */
  setTimer(ms: number, fire: () => void): Timer;
  /** Called when nothing is ready to run: a virtual clock may move on. */
  onIdle?(): void;
}

class NodeTimer implements Timer {
  readonly #handle: NodeJS.Timeout;

  constructor(ms: number, fire: () => void) {
    this.#handle = setTimeout(fire, ms);
  }
  cancel(): void {
    clearTimeout(this.#handle);
  }
}

/** Node's setTimeout turns longer times into 1 ms: 2^31 - 1 ms is 24.8 days. */
const longest = 2 ** 31 - 1;

class LongTimer implements Timer {
  #timer: Timer;

  constructor(ms: number, fire: () => void) {
    this.#timer = new NodeTimer(longest, () => {
      this.#timer = systemClock.setTimer(ms - longest, fire);
    });
  }
  cancel(): void {
    this.#timer.cancel();
  }
}

const never: Timer = { cancel() {} };

export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer(ms, fire) {
    if (ms <= longest) return new NodeTimer(ms, fire);
    return ms === Number.POSITIVE_INFINITY ? never : new LongTimer(ms, fire);
  },
};
