import { parentPort } from 'node:worker_threads';
import { Fiber } from '@tendril/fiber';

const [, , mode] = process.argv;

function deep(depth) {
  if (depth > 0) return 1 + deep(depth - 1);
  Fiber.suspend();
  return 0;
}

const fibers = Array.from({ length: 200 }, () => {
  const fiber = new Fiber(() => deep(15));
  fiber.resume();
  return fiber;
});
globalThis.gc();
const collecting = new Fiber(() => {
  for (let i = 0; i < 4; i++) {
    globalThis.gc(i % 2 ? { type: 'minor' } : undefined);
    Fiber.suspend();
  }
});
while (collecting.state !== 'done') collecting.resume();

if (mode === 'finish')
  parentPort.postMessage(fibers.reduce((sum, fiber) => sum + fiber.resume(), 0));
if (mode === 'park') {
  parentPort.postMessage('parked');
  setInterval(() => {}, 1000);
}
if (mode === 'busy') {
  new Fiber(() => {
    parentPort.postMessage('busy');
    for (;;);
  }).resume();
}
if (mode === 'exit') new Fiber(() => process.exit(7)).resume();
