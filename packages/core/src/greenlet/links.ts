/** Who is to be told when something is ready, in the order in which they asked. */
import { hub } from '../hub/hub.js';
import type { expired } from '../hub/timed-wait.js';
import { Waiter } from '../hub/waiter.js';
import { type AsyncContext, captureContext } from '../loop/async-context.js';

type Joiner = Waiter<void | typeof expired>;
type Callback = (self: never) => void;
type Wanted = (self: never) => boolean;

/** A callback and the context of who gave it, in which it is called. */
class Link {
  callback: Callback | undefined;
  readonly wanted: Wanted | undefined;
  context: AsyncContext = captureContext();
  scheduled = false;
  /** One of the same callback, given before; see Links.#index. */
  older: Link | undefined = undefined;

  constructor(callback: Callback, wanted: Wanted | undefined) {
    this.callback = callback;
    this.wanted = wanted;
  }

  get gone(): boolean {
    return this.callback === undefined;
  }

  /** It may stay in the list for a while, and holds nothing meanwhile. */
  forget(): void {
    this.callback = this.context = undefined;
  }
}

/** Up to this many are searched one by one and leave at once. */
const few = 16;

/**
 * Callbacks are called on a later turn of the hub, each once, outside any greenlet. One that is removed
 * before its call is not called, even if the rest are on their way. In a long list who leaves is only
 * marked, and the list is made anew when half of it has gone: many that leave take linear time.
 */
export class Links {
  #all: (Link | Joiner)[] = [];
  #gone = 0;
  /** The newest link of each callback; made when one is looked for in a long list. */
  #index: Map<Callback, Link> | undefined = undefined;

  /** Calls `callback` when this is ready and `wanted` then says so. */
  add(callback: Callback, wanted?: Wanted): void {
    const link = new Link(callback, wanted);
    this.#all.push(link);
    if (this.#index) this.#enter(this.#index, link);
  }

  addWaiter(waiter: Joiner): void {
    this.#all.push(waiter);
  }

  /** For one that is settled, and does not wait any more. */
  removeWaiter(waiter: Joiner): void {
    this.#left(waiter);
  }

  /** Takes back the latest link of `callback`. */
  remove(callback: Callback): void {
    const link = this.#find(callback);
    if (!link) return;
    link.forget();
    this.#left(link);
  }

  #find(callback: Callback): Link | undefined {
    if (this.#all.length <= few) {
      return this.#all.findLast(
        (one): one is Link => !(one instanceof Waiter) && one.callback === callback,
      );
    }
    if (!this.#index) {
      this.#index = new Map();
      for (const one of this.#all)
        if (!(one instanceof Waiter) && !one.gone) this.#enter(this.#index, one);
    }
    let link = this.#index.get(callback);
    while (link?.gone) link = link.older;
    if (link?.older) this.#index.set(callback, link.older);
    else this.#index.delete(callback);
    return link;
  }

  #enter(index: Map<Callback, Link>, link: Link): void {
    const { callback } = link as { callback: Callback };
    link.older = index.get(callback);
    index.set(callback, link);
  }

  #left(one: Link | Joiner): void {
    if (this.#all.length <= few) {
      const at = this.#all.indexOf(one);
      if (at >= 0) this.#all.splice(at, 1);
      return;
    }
    if (++this.#gone * 2 <= this.#all.length) return;
    this.#gone = 0;
    this.#index = undefined;
    this.#all = this.#all.filter((each) => (each instanceof Waiter ? !each.settled : !each.gone));
  }

  /** It is ready: tells everybody who is not told yet. An error is reported as of `describe(self)`. */
  notify(self: unknown, describe: (self: never) => string): void {
    const all = this.#all;
    let left = 0;
    for (const one of all) {
      if (one instanceof Waiter) one.wake();
      else if (!one.gone) {
        all[left++] = one;
        if (!one.scheduled) this.#schedule(one, self, describe);
      }
    }
    all.length = left;
    this.#gone = 0;
  }

  #schedule(link: Link, self: unknown, describe: (self: never) => string): void {
    link.scheduled = true;
    hub.scheduleIn(link.context, () => {
      const { callback } = link;
      if (!callback) return;
      link.forget();
      this.#left(link);
      if (link.wanted && !link.wanted(self as never)) return;
      try {
        callback(self as never);
      } catch (error) {
        hub.report(error, `a link of ${describe(self as never)}`);
      }
    });
  }
}
