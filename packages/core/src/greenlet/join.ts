/** Waiting for several things, and killing several greenlets. */

import { GreenletExit } from '../errors.js';
import { hub } from '../hub/hub.js';
import { checkTimeout, expired, type TimeoutOption, waitAtMost } from '../hub/timed-wait.js';
import { Waiter } from '../hub/waiter.js';
import type { Greenlet, KillOptions } from './greenlet.js';
import type { Linkable } from './linkable.js';

export interface IwaitOptions extends TimeoutOption {
  /** End after this many. */
  count?: number | undefined;
}

export interface JoinallOptions extends IwaitOptions {
  /** Throw the earliest failure as soon as it is seen. Default false. */
  raiseError?: boolean;
}

/** Several objects, told apart by whether they are ready: those that are, in that order. */
class Readiness<T extends Linkable> {
  readonly ready: T[] = [];
  readonly pending = new Set<T>();
  /** How many of all are wanted. */
  readonly wanted: number;
  #seen = 0;
  #waiter: Waiter<void | typeof expired> | undefined;
  readonly #deadline: number;

  constructor(objects: Iterable<T>, options: IwaitOptions | undefined) {
    const { timeout = Number.POSITIVE_INFINITY, count = Number.POSITIVE_INFINITY } = options ?? {};
    checkTimeout(timeout);
    const all = new Set(objects);
    for (const object of all)
      if (object.ready()) this.ready.push(object);
      else this.pending.add(object);
    this.wanted = Math.min(count, all.size);
    this.#deadline = hub.clock.now() + timeout;
  }

  link(onReady: (object: T) => void): void {
    for (const object of this.pending) object.link(onReady as never);
  }

  /** For whoever is linked. */
  add(object: T): void {
    this.pending.delete(object);
    this.ready.push(object);
    this.#waiter?.wake();
  }

  /** The next one, or undefined when the time is up. Parks, with a timer for no longer than that. */
  next(what: string): T | undefined {
    if (this.#seen === this.ready.length) {
      this.#waiter = new Waiter(what);
      const left = Math.max(0, this.#deadline - hub.clock.now());
      const outcome = waitAtMost<void>(this.#waiter, left);
      this.#waiter = undefined;
      if (outcome === expired) return undefined;
    }
    return this.ready[this.#seen++];
  }
}

function unlinkAll<T extends Linkable>(objects: Iterable<T>, onReady: (object: T) => void): void {
  for (const object of objects) object.unlink(onReady as never);
}

interface Links {
  readonly pending: Iterable<Linkable>;
  readonly onReady: (object: Linkable) => void;
}

/** A generator that is dropped in the middle runs no `finally`: what lives longer must not hold it. */
const dropped = new FinalizationRegistry(({ pending, onReady }: Links) =>
  unlinkAll(pending, onReady),
);

function addTo<T extends Linkable>(readiness: WeakRef<Readiness<T>>): (object: T) => void {
  return (object) => readiness.deref()?.add(object);
}

/**
 * Yields objects in the order in which they become ready; ends at `count`, or when `timeout`
 * milliseconds have passed since the first one was asked for. Takes anything linkable: greenlets,
 * events, results.
 */
export function* iwait<T extends Linkable>(
  objects: Iterable<T>,
  options?: IwaitOptions,
): Generator<T, void, undefined> {
  const readiness = new Readiness(objects, options);
  const { pending } = readiness;
  const onReady = addTo(new WeakRef(readiness));
  readiness.link(onReady);
  dropped.register(readiness, { pending, onReady: onReady as Links['onReady'] }, readiness);
  try {
    for (let yielded = 0; yielded < readiness.wanted; yielded++) {
      const object = readiness.next('iwait()');
      if (!object) return;
      yield object;
    }
  } finally {
    dropped.unregister(readiness);
    unlinkAll(pending, onReady);
  }
}

/**
 * Waits for all (or `count`) of `objects`, at most `timeout` milliseconds. Returns the finished in
 * order of completion.
 * @throws the earliest failure, with `raiseError`
 */
export function joinall<T extends Linkable>(objects: Iterable<T>, options?: JoinallOptions): T[] {
  const readiness = new Readiness(objects, options);
  const onReady = (object: T) => readiness.add(object);
  readiness.link(onReady);
  const finished: T[] = [];
  try {
    while (finished.length < readiness.wanted) {
      const object = readiness.next('joinall()');
      if (!object) break;
      finished.push(object);
      if (options?.raiseError) (object as { get?: () => unknown }).get?.();
    }
  } finally {
    unlinkAll(readiness.pending, onReady);
  }
  return finished;
}

/**
 * Kills all at once, then (with `block`, the default) waits for their ends, at most `timeout`
 * milliseconds.
 */
export function killall(greenlets: Iterable<Greenlet>, options?: KillOptions): void {
  checkTimeout(options?.timeout);
  const all = [...greenlets];
  const error = options?.error ?? new GreenletExit();
  const self = hub.current;
  for (const greenlet of all) if (greenlet !== self) greenlet.kill({ error, block: false });
  if (options?.block !== false && self)
    joinall(
      all.filter((greenlet) => greenlet !== self),
      { timeout: options?.timeout },
    );
  if (all.includes(self as Greenlet)) (self as Greenlet).kill({ error });
}
