import { Fiber } from '@tendril/fiber';

function runsInAFiber() {
  let sum = 0;
  const until = Date.now() + 200;
  while (Date.now() < until) for (let i = 0; i < 100_000; i++) sum += Math.sqrt(i);
  return sum;
}

const fiber = new Fiber(() => {
  Fiber.suspend();
  return runsInAFiber();
});
fiber.resume();
fiber.resume();
