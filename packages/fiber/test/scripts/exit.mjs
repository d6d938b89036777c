// Leaves the process with 1,000 fibers parked, in the way that the argument names.
import { Fiber } from '@tendril/fiber';

const parked = Array.from({ length: 1000 }, () => {
  const fiber = new Fiber(() => Fiber.suspend());
  fiber.resume();
  return fiber;
});
const [, , how] = process.argv;
if (how === 'inside') new Fiber(() => process.exit(9)).resume();
if (how === 'throw') {
  setTimeout(() => {
    new Fiber(() => {
      throw new Error('thrown in a fiber');
    }).resume();
  }, 1);
}
if (how === 'code') process.exitCode = parked.length / 200;
