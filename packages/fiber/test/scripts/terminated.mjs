// So many workers (argv[2]) that end by terminate(), which comes about when they switch stacks: into a fiber that
// spins, or between two without an end. Prints how many of them have ended; one that has not holds this process.

import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

if (isMainThread) {
  const count = Number(process.argv[2]);
  const program = fileURLToPath(import.meta.url);
  let ended = 0;
  const one = (number) =>
    new Promise((resolve) => {
      const worker = new Worker(program, { workerData: number });
      worker.on('message', () => worker.terminate());
      worker.on('exit', () => {
        ended++;
        resolve();
      });
    });
  for (let number = 0; number < count; number += 2)
    await Promise.all([one(number), one(number + 1)]);
  console.log(ended);
} else {
  const { Fiber } = await import('@tendril/fiber');
  new Fiber(() => {}).resume();
  const spinning = new Fiber(() => {
    for (;;);
  });
  const back = new Fiber(() => {
    for (;;) Fiber.suspend();
  });
  const switching = new Fiber(() => {
    for (;;) back.resume();
  });
  parentPort.postMessage('about to switch');
  (workerData % 2 ? spinning : switching).resume();
}
