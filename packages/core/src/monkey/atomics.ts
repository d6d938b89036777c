/** Atomics.wait parks on Atomics.waitAsync. */
import { getHub, park } from '../index.js';
import { type Answer, type Place, Waiter, type WaiterOwner } from './atomics-waiter.js';
import { keepAlive } from './keep-alive.js';
import { replaceParking } from './parking.js';

export function installAtomics(): void {
  replaceParking('atomics', 'wait', (original) => (...args) => {
    const [array, index, value, timeout] = args as [Int32Array, number, number, unknown];
    const place: Place = { array, index, value };
    const limit = limitOf(timeout);
    let waiter: Answer | Waiter;
    try {
      waiter =
        (limit > 0 ? Waiter.takeOver(place) : undefined) ??
        Waiter.stand(place, timeout as number | undefined);
    } catch {
      return original(...args);
    }
    if (typeof waiter === 'string') return waiter;
    const standing = waiter;
    return park<Answer>((resume) => {
      const wait = new Wait(place, limit, resume);
      wait.standBy(standing);
      return () => wait.leave();
    });
  });
}

/** Milliseconds; Infinity where there is no limit. 0 for what Atomics.wait may refuse. */
function limitOf(timeout: unknown): number {
  if (timeout === undefined) return Number.POSITIVE_INFINITY;
  if (typeof timeout === 'bigint' || typeof timeout === 'symbol') return 0;
  const limit = Number(timeout);
  return Number.isNaN(limit) ? Number.POSITIVE_INFINITY : limit;
}

/** What is left of a limit when V8's clock is a little ahead of the hub's: milliseconds. */
const tolerance = 1;

/** The wait of one greenlet. */
class Wait implements WaiterOwner {
  readonly #place: Place;
  readonly #due: number;
  readonly #resume: (answer: Answer) => void;
  readonly #cancelTimer: (() => void) | undefined;
  readonly #letGo = keepAlive();
  #waiter: Waiter | undefined;
  #over = false;

  constructor(place: Place, limit: number, resume: (answer: Answer) => void) {
    const { clock } = getHub();
    this.#place = place;
    this.#resume = resume;
    this.#due = clock.now() + limit;
    if (limit === Number.POSITIVE_INFINITY) return;
    // What V8 has to say in this turn of the event loop comes first: a notification is not lost.
    const timer = clock.setTimer(limit, () => setImmediate(() => this.#end('timed-out')));
    this.#cancelTimer = () => timer.cancel();
  }

  standBy(waiter: Waiter): void {
    this.#waiter = waiter;
    waiter.owner = this;
  }

  notified(): void {
    this.#waiter = undefined;
    this.#end('ok');
  }

  /** Stands in line anew, if the hub's clock says that there is time left. */
  expired(): void {
    this.#waiter = undefined;
    const left = this.#due - getHub().clock.now();
    const next = left > tolerance ? Waiter.stand(this.#place, left) : 'timed-out';
    // Another value: somebody may have notified while nobody stood here.
    if (next === 'not-equal') this.#end('ok');
    else if (next === 'timed-out') this.#end(next);
    else this.standBy(next);
  }

  #end(answer: Answer): void {
    if (this.#over) return;
    this.leave();
    this.#resume(answer);
  }

  /** The greenlet waits no more. */
  leave(): void {
    this.#over = true;
    this.#cancelTimer?.();
    this.#letGo();
    this.#waiter?.abandon();
  }
}
