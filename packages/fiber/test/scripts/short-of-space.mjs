// As many parked fibers as there is room for, in a process that may not have all the address space it likes; then
// all of them end, and one has a stack again. Prints what came of it.
import { Fiber, statistics } from '@tendril/fiber';

const deep = (depth) => (depth > 0 ? 1 + deep(depth - 1) : Fiber.suspend());
const parked = [];
const sizes = new Set();
let before = 0;
let code;
try {
  for (let i = 0; i < 50_000; i++) {
    const fiber = new Fiber(() => deep(10));
    fiber.resume();
    parked.push(fiber);
    const { stackBytes } = statistics();
    sizes.add(stackBytes - before);
    before = stackBytes;
  }
} catch (error) {
  code = error.code;
}
const count = parked.length;
for (const fiber of parked) fiber.resume();
globalThis.gc(); // V8 has got what it wants
const again = new Fiber(() => 'ran').resume();
console.log(JSON.stringify({ count, sizes: [...sizes], code, again, live: statistics().live }));
