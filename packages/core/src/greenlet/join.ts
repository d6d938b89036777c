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

/**
 * Yields objects in the order in which they become ready; ends at `count`, or when `timeout`
 * milliseconds have passed since the first one was asked for. Takes anything linkable: greenlets,
 * events, results.
 */
export function* iwait<T extends Linkable>(
  objects: Iterable<T>,
  options?: IwaitOptions,
): Generator<T, void, undefined> {
  const { timeout = Number.POSITIVE_INFINITY, count = Number.POSITIVE_INFINITY } = options ?? {};
  checkTimeout(timeout);
  const all = [...new Set(objects)];
  const ready: T[] = [];
  let yielded = 0;
  let waiter: Waiter<void | typeof expired> | undefined;
  const onReady = (object: T) => {
    ready.push(object);
    waiter?.wake();
  };
  const pending = new Set<T>();
  for (const object of all) {
    if (object.ready()) ready.push(object);
    else {
      pending.add(object);
      object.link(onReady as never);
    }
  }
  const deadline = hub.clock.now() + timeout;
  try {
    for (const wanted = Math.min(count, all.length); yielded < wanted; ) {
      if (yielded === ready.length) {
        // A timer only while somebody waits here: a generator that is not driven to its end has none.
        waiter = new Waiter('iwait()');
        const left = Math.max(0, deadline - hub.clock.now());
        if (waitAtMost<void>(waiter, left) === expired) return;
        waiter = undefined;
      }
      const object = ready[yielded++] as T;
      pending.delete(object);
      yield object;
    }
  } finally {
    for (const object of pending) object.unlink(onReady as never);
  }
}

/**
 * Waits for all (or `count`) of `objects`, at most `timeout` milliseconds. Returns the finished in
 * order of completion.
 * @throws the earliest failure, with `raiseError`
 */
export function joinall<T extends Linkable>(objects: Iterable<T>, options?: JoinallOptions): T[] {
  const finished: T[] = [];
  for (const object of iwait(objects, options)) {
    finished.push(object);
    if (options?.raiseError) (object as { get?: () => unknown }).get?.();
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
