import { Fiber } from '@tendril/fiber';

function runsInAFiber() {
  let sum = 0;
  // 200 ms of the processor, however long others take it away.
  const before = process.cpuUsage();
  while (process.cpuUsage(before).user < 200_000)
    for (let i = 0; i < 100_000; i++) sum += Math.sqrt(i);
  return sum;
}

const fiber = new Fiber(() => {
  Fiber.suspend();
  return runsInAFiber();
});
fiber.resume();
fiber.resume();
