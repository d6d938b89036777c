/**
 * What a promise does for the greenlets that wait for it.
 *
 * A promise keeps every function that was ever given to its `then` until it settles, and there is no
 * taking one back. So when a wait ends before its promise has settled, its reaction stays with the
 * promise and serves those who wait after it: a `shutdown` promise that is waited for a million times,
 * with a time limit, holds nothing of them. A wait that ends as most do leaves no entry anywhere.
 */
import type { Waiter } from '../hub/waiter.js';
import { follow, isPlain, type Then } from './thenable.js';

type AnyWaiter = Waiter<unknown>;

/** Of promises that somebody has given up waiting for. */
const left = new WeakMap<object, Reaction>();

/** The latest, while somebody waits there: of a crowd that waits for one promise nobody has left yet. */
let latest: Reaction | undefined;

class Reaction {
  /** Mostly there is one; several are woken in the order in which they came. */
  #waiters: AnyWaiter | Set<AnyWaiter> | undefined;
  #settled = false;
  /** Of the language; undefined for any other thenable. */
  readonly promise: object | undefined;

  constructor(thenable: unknown, then: Then, first: AnyWaiter) {
    this.promise = isPlain(thenable, then) ? (thenable as object) : undefined;
    this.#waiters = first;
    follow(
      thenable,
      then,
      (value) => {
        const waiters = this.#settle();
        if (waiters instanceof Set) for (const waiter of waiters) waiter.wake(value);
        else waiters?.wake(value);
      },
      (reason) => {
        const waiters = this.#settle();
        if (waiters instanceof Set) for (const waiter of waiters) waiter.fail(reason);
        else waiters?.fail(reason);
      },
    );
  }

  get settled(): boolean {
    return this.#settled;
  }

  add(waiter: AnyWaiter): void {
    const waiters = this.#waiters;
    if (waiters instanceof Set) waiters.add(waiter);
    else this.#waiters = waiters ? new Set([waiters, waiter]) : waiter;
  }

  remove(waiter: AnyWaiter): void {
    if (this.#waiters instanceof Set) {
      this.#waiters.delete(waiter);
      if (this.#waiters.size === 0) this.#waiters = undefined;
    } else if (this.#waiters === waiter) this.#waiters = undefined;
    if (!this.#waiters && latest === this) latest = undefined;
  }

  #settle(): AnyWaiter | Set<AnyWaiter> | undefined {
    const waiters = this.#waiters;
    this.#settled = true;
    this.#waiters = undefined;
    if (latest === this) latest = undefined;
    return waiters;
  }
}

/**
 * Has `waiter` woken when `thenable`, whose `then` was read before, settles.
 *
 * Only promises of the language have a reaction that others use again. The `then` of anything else may
 * do its work anew at each call (a query builder sends its query there), so each wait has to call it.
 */
export function react<T>(thenable: unknown, then: Then, waiter: Waiter<T>): Reaction {
  const promise = thenable as object;
  const reaction = latest?.promise === promise ? latest : left.get(promise);
  if (reaction && !reaction.settled) {
    reaction.add(waiter as AnyWaiter);
    return reaction;
  }
  const own = new Reaction(thenable, then, waiter as AnyWaiter);
  if (own.promise && !own.settled) latest = own;
  return own;
}

/** `waiter` is over before its promise has settled. */
export function leave<T>(reaction: Reaction, waiter: Waiter<T>): void {
  reaction.remove(waiter as AnyWaiter);
  if (reaction.promise && !reaction.settled) left.set(reaction.promise, reaction);
}
