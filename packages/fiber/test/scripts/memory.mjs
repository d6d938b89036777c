// Parks a crowd of fibers and lets them end; prints the resident set in bytes at three points.
import { Fiber, statistics } from '@tendril/fiber';

const crowd = Number(process.argv[2]);

function deep(depth) {
  if (depth > 0) return 1 + deep(depth - 1);
  Fiber.suspend();
  return 0;
}

function round(count) {
  const fibers = [];
  for (let i = 0; i < count; i++) {
    const fiber = new Fiber(() => deep(15));
    fiber.resume();
    fibers.push(fiber);
  }
  globalThis.gc();
  const parked = process.memoryUsage.rss();
  for (const fiber of fibers) fiber.resume();
  return parked;
}

async function settle() {
  for (let i = 0; i < 5; i++) {
    globalThis.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

round(1);
await settle();
const start = process.memoryUsage.rss();
const parked = round(crowd);
for (let i = 0; i < 100_000; i++) new Fiber(() => i).resume();
await settle();
console.log(
  JSON.stringify({ start, parked, end: process.memoryUsage.rss(), live: statistics().live }),
);
