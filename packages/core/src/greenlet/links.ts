/**
 * Who is to be told when something is ready, in the order in which they asked.
 *
 * Most things have nobody or one. So what they keep is either nothing, or that one, or a list of several,
 * and the functions at the end of this file go from the one to the other.
 */
import { Call } from '../hub/call.js';
import { hub } from '../hub/hub.js';
import type { expired } from '../hub/timed-wait.js';
import { Waiter } from '../hub/waiter.js';

export type Joiner = Waiter<void | typeof expired>;
type Callback = (self: never) => void;
type Condition = (self: never) => boolean;
/** Names it in a report. */
type Describe = (self: never) => string;

/**
 * A callback. It is called once, on a later turn of the hub, outside any greenlet, in the context of who
 * gave it; not if it is taken back before, even if the rest are on their way.
 */
export class Link extends Call {
  callback: Callback | undefined;
  readonly #condition: Condition | undefined;
  #self: unknown = undefined;
  #describe: Describe | undefined = undefined;
  /** The list that it is in. */
  list: LinkList | undefined = undefined;
  /** One of the same callback, given before; see LinkList.#index. */
  older: Link | undefined = undefined;

  /** With `condition`, `callback` is not called unless that says so. */
  constructor(callback: Callback, condition?: Condition) {
    super();
    this.callback = callback;
    this.#condition = condition;
  }

  /** Called, or taken back. */
  get gone(): boolean {
    return this.callback === undefined;
  }

  /** On its way. */
  get told(): boolean {
    return this.#describe !== undefined;
  }

  tell(self: unknown, describe: Describe): void {
    this.#self = self;
    this.#describe = describe;
    hub.schedule(this);
  }

  run(): void {
    const { callback } = this;
    const self = this.#self as never;
    const describe = this.#describe as Describe;
    if (!callback) return;
    const wanted = !this.#condition || this.#condition(self);
    this.list?.called();
    this.forget();
    if (!wanted) return;
    try {
      callback(self);
    } catch (error) {
      hub.report(error, `a link of ${describe(self)}`);
    }
  }

  /** It may be kept for a while, and holds nothing meanwhile. */
  forget(): void {
    this.callback = this.context = this.#self = this.list = undefined;
  }
}

/** Up to this many are searched one by one, and leave at once. */
const few = 16;

/**
 * In a long list who leaves is only marked, and the list is made anew when half of it has gone: many that
 * leave take linear time.
 */
class LinkList {
  #waiting: (Link | Joiner)[] = [];
  #gone = 0;
  /** On their way: kept to be found by {@link remove}. */
  #told: Link[] = [];
  #calls = 0;
  /** The newest link of each callback; made when one is looked for in a long list. */
  #index: Map<Callback, Link> | undefined = undefined;

  add(one: Link | Joiner): void {
    if (one instanceof Waiter) {
      this.#waiting.push(one);
      return;
    }
    one.list = this;
    (one.told ? this.#told : this.#waiting).push(one);
    if (this.#index) enter(this.#index, one);
  }

  /** A joiner that does not wait any more. */
  removeWaiter(waiter: Joiner): void {
    if (this.#waiting.length > few) this.#oneLess();
    else drop(this.#waiting, waiter);
  }

  /** Takes back the latest link of `callback`. */
  remove(callback: Callback): void {
    const link = this.#find(callback);
    if (!link) return;
    link.forget();
    if (link.told) this.called();
    else if (this.#waiting.length > few) this.#oneLess();
    else drop(this.#waiting, link);
  }

  #oneLess(): void {
    if (++this.#gone * 2 <= this.#waiting.length) return;
    this.#gone = 0;
    this.#index = undefined;
    this.#waiting = this.#waiting.filter((one) =>
      one instanceof Waiter ? !one.settled : !one.gone,
    );
  }

  /** One less is on its way. */
  called(): void {
    if (++this.#calls < this.#told.length) return;
    this.#calls = 0;
    this.#told = [];
    this.#index = undefined;
  }

  #find(callback: Callback): Link | undefined {
    if (this.#waiting.length + this.#told.length <= few) {
      const isIt = (one: Link | Joiner): one is Link =>
        !(one instanceof Waiter) && one.callback === callback;
      return this.#waiting.findLast(isIt) ?? this.#told.findLast(isIt);
    }
    if (!this.#index) {
      this.#index = new Map();
      for (const link of this.#told) if (!link.gone) enter(this.#index, link);
      for (const one of this.#waiting)
        if (!(one instanceof Waiter) && !one.gone) enter(this.#index, one);
    }
    let link = this.#index.get(callback);
    while (link?.gone) link = link.older;
    if (link?.older) this.#index.set(callback, link.older);
    else this.#index.delete(callback);
    return link;
  }

  notify(self: unknown, describe: Describe): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#gone = 0;
    for (const one of waiting) {
      if (one instanceof Waiter) one.wake();
      else if (!one.gone) {
        this.#told.push(one);
        one.tell(self, describe);
      }
    }
  }
}

function enter(index: Map<Callback, Link>, link: Link): void {
  const callback = link.callback as Callback;
  link.older = index.get(callback);
  index.set(callback, link);
}

function drop<T>(from: T[], what: T): void {
  const at = from.indexOf(what);
  if (at >= 0) from.splice(at, 1);
}

/** Nobody, one, or several. */
export type Links = Joiner | Link | LinkList | undefined;

export function addLink(links: Links, one: Joiner | Link): Links {
  if (!links || (links instanceof Link && links.gone)) return one;
  if (links instanceof LinkList) {
    links.add(one);
    return links;
  }
  const list = new LinkList();
  list.add(links);
  list.add(one);
  return list;
}

/** Without `waiter`, which does not wait any more. */
export function removeWaiter(links: Links, waiter: Joiner): Links {
  if (links === waiter) return undefined;
  if (links instanceof LinkList) links.removeWaiter(waiter);
  return links;
}

/** Without the latest link of `callback`. */
export function removeLink(links: Links, callback: Callback): Links {
  if (links instanceof LinkList) links.remove(callback);
  else if (links instanceof Link && links.callback === callback) {
    links.forget();
    return undefined;
  }
  return links;
}

/** `self` is ready: tells everybody who has not been told. Returns those that are on their way. */
export function notifyLinks(links: Links, self: unknown, describe: Describe): Links {
  if (links instanceof Waiter) {
    links.wake();
    return undefined;
  }
  if (links instanceof Link) {
    if (!links.gone && !links.told) links.tell(self, describe);
  } else links?.notify(self, describe);
  return links;
}
