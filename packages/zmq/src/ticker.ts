/**
 * Ticker: waits for a socket in a worker thread, where nothing may be pending in the driver. When the thread
 * is terminated, or the process ends, the driver ends what is pending by rejecting its promise; JavaScript
 * runs no more then, and the driver aborts the whole process (`Napi::Error`). No code of ours runs at that
 * moment either. So it is asked again and again whether it is ready: sockets of worker threads answer some
 * milliseconds later.
 */
import { isMainThread } from 'node:worker_threads';

/** Milliseconds between two looks: the shortest after something has come, then longer and longer. */
const shortest = 1;
const longest = 10;

interface Look {
  readonly isReady: () => boolean;
  readonly until: number;
  readonly done: (ready: boolean) => void;
}

const looks = new Set<Look>();
let delay = shortest;
let timer: NodeJS.Timeout | undefined;

function tick(): void {
  timer = undefined;
  const now = performance.now();
  let lively = false;
  for (const look of looks) {
    const ready = look.isReady();
    lively ||= ready;
    if (!ready && now < look.until) continue;
    looks.delete(look);
    look.done(ready);
  }
  delay = lively ? shortest : Math.min(delay * 2, longest);
  arm();
}

function arm(): void {
  if (looks.size > 0) timer ??= setTimeout(tick, delay);
}

/** True where {@link untilReady} has to stand for the driver's own waiting. */
export const mustAsk = !isMainThread;

/** Resolves when `isReady()` holds, to true, or after `ms` milliseconds. */
export function untilReady(isReady: () => boolean, ms: number): Promise<boolean> {
  return new Promise((done) => {
    looks.add({ isReady, until: performance.now() + ms, done });
    if (delay > shortest) {
      delay = shortest;
      clearTimeout(timer);
      timer = undefined;
    }
    arm();
  });
}
