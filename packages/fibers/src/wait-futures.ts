/** Future.wait: in a fiber as node-fibers does it, in a greenlet by parking. */
import { getCurrent, park } from '@tendril/core';
import { Fiber } from './fiber.js';
import { FiberFuture } from './fiber-future.js';
import { Future } from './future-class.js';

function pendingOf(waitables: readonly unknown[]): Future[] {
  const pending: Future[] = [];
  for (const one of waitables.flat()) {
    if (!(one instanceof Future)) throw new Error(`${one} is not a future`);
    if (!one.isResolved()) pending.push(one);
  }
  return pending;
}

/** Calls `done` when all of them are resolved. Returns how to withdraw. */
function whenAll(futures: readonly Future[], done: () => void): () => void {
  let left: number | undefined = futures.length;
  for (const future of futures)
    future.resolve(() => {
      if (left !== undefined && --left === 0) done();
    });
  return () => {
    left = undefined;
  };
}

/**
 * Waits until all of them, futures and arrays of them, are resolved.
 * @throws Error where there is neither a fiber nor a greenlet, or for anything that is no future
 */
export function waitForAll(waitables: readonly unknown[]): void {
  const pending = pendingOf(waitables);
  const fiber = Fiber.current;
  if (fiber) {
    // The first one that has not started needs no fiber of its own: it runs here.
    const here = pending.find((one) => one instanceof FiberFuture && !one.started);
    let left = pending.length;
    const arrived = () => {
      if (--left === 0) fiber.run();
    };
    for (const future of pending) if (future !== here) future.resolve(arrived);
    if (here) {
      (here as FiberFuture).start();
      left--;
    }
    if (left > 0) Fiber.yield();
  } else if (!getCurrent()) {
    throw new Error("Can't wait without a fiber");
  } else if (pending.length > 0) {
    park<void>((resume) => whenAll(pending, resume as () => void));
  }
}
