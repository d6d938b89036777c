/** Ours. */
import { PerformanceObserver } from 'node:perf_hooks';
import {
  Event,
  joinall,
  Pool,
  park,
  Queue,
  run,
  Semaphore,
  sleep,
  spawn,
  Timeout,
} from '@tendril/core';
import { Fiber } from '@tendril/fiber';
import { bytesPer, type Figure, timeSync } from './measure.js';

/** Suspends for ever below `depth` calls. */
function suspendBelow(depth: number): number {
  if (depth > 0) return suspendBelow(depth - 1) + 1;
  for (;;) Fiber.suspend();
}

function roundTrip(depth: number): number {
  const fiber = new Fiber(() => suspendBelow(depth));
  return timeSync(200_000, (count) => {
    for (let i = 0; i < count; i++) fiber.resume();
  });
}

/** One switch: what a parking greenlet pays to hand over to the next. */
function handOver(): number {
  const a: Fiber = new Fiber(() => {
    for (;;) b.transfer();
  });
  const b: Fiber = new Fiber(() => {
    for (;;) {
      for (let i = 0; i < 100_000; i++) a.transfer();
      Fiber.suspend();
    }
  });
  a.resume();
  return timeSync(200_000, () => b.resume());
}

const inGreenlet =
  (body: () => number): Figure =>
  () =>
    run(body);

function parkBelow(depth: number): number {
  if (depth > 0) return parkBelow(depth - 1) + 1;
  park(() => {});
  return 0;
}

/** Milliseconds of a scavenge with `parked` greenlets of 16 frames. */
async function scavenge(parked: number): Promise<number> {
  const times: number[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) times.push(entry.duration);
  });
  await run(() => {
    for (let i = 0; i < parked; i++) spawn(() => parkBelow(14));
    sleep(0);
  });
  (globalThis.gc as (options?: object) => void)();
  observer.observe({ entryTypes: ['gc'] });
  for (let i = 0; i < 20; i++) (globalThis.gc as (options?: object) => void)({ type: 'minor' });
  await new Promise((resolve) => setTimeout(resolve, 50));
  observer.disconnect();
  return times.sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
}

export const figures: Record<string, Figure> = {
  'round trip, depth 1': () => roundTrip(1),
  'round trip, depth 15': () => roundTrip(15),
  'hand-over': () => handOver(),
  'spawn+join': inGreenlet(() =>
    timeSync(30_000, (count) => {
      for (let i = 0; i < count; i++) spawn(() => i).join();
    }),
  ),
  'spawn+join, 1,000 at a time': inGreenlet(() =>
    timeSync(30_000, (count) => {
      for (let i = 0; i < count; i += 1000)
        joinall(Array.from({ length: 1000 }, (_, k) => spawn(() => k)));
    }),
  ),
  'sleep(0)': inGreenlet(() =>
    timeSync(100_000, (count) => {
      joinall(
        [1, 2].map(() =>
          spawn(() => {
            for (let i = 0; i < count / 2; i++) sleep(0);
          }),
        ),
      );
    }),
  ),
  'Event ping-pong': inGreenlet(() =>
    timeSync(30_000, (count) => {
      const ping = new Event();
      const pong = new Event();
      const other = spawn(() => {
        for (let i = 0; i < count; i++) {
          ping.wait();
          ping.clear();
          pong.set();
        }
      });
      for (let i = 0; i < count; i++) {
        ping.set();
        pong.wait();
        pong.clear();
      }
      other.join();
    }),
  ),
  'Queue ping-pong': inGreenlet(() =>
    timeSync(30_000, (count) => {
      const ping = new Queue<number>();
      const pong = new Queue<number>();
      const other = spawn(() => {
        for (let i = 0; i < count; i++) pong.put(ping.get());
      });
      for (let i = 0; i < count; i++) {
        ping.put(i);
        pong.get();
      }
      other.join();
    }),
  ),
  'Semaphore, contended by 10': inGreenlet(() =>
    timeSync(50_000, (count) => {
      const semaphore = new Semaphore(1);
      joinall(
        Array.from({ length: 10 }, () =>
          spawn(() => {
            for (let i = 0; i < count / 10; i++) {
              semaphore.acquire();
              sleep(0);
              semaphore.release();
            }
          }),
        ),
      );
    }),
  ),
  'Pool.map per item': inGreenlet(() => {
    const items = Array.from({ length: 20_000 }, (_, i) => i);
    return timeSync(items.length, () => new Pool(10).map((item) => item, items));
  }),
  'Timeout per block': inGreenlet(() =>
    timeSync(30_000, (count) => {
      for (let i = 0; i < count; i++) {
        using _limit = Timeout.startNew(60_000);
      }
    }),
  ),
  'bytes per parked, depth 15': () =>
    bytesPer(
      10_000,
      (count) => Array.from({ length: count }, () => spawn(() => parkBelow(15))),
      () => new Promise((resolve) => setTimeout(resolve, 200)),
    ),
  'scavenge, none parked (ms)': () => scavenge(0),
  'scavenge, 1,000 parked (ms)': () => scavenge(1000),
};
