// Workers whose isolates are disposed of while V8 marks, with fibers' objects left: made, parked and done.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

if (process.argv[2] === 'shared') await import('@tendril/fiber');
const program = `
  import('@tendril/fiber').then(({ Fiber }) => {
    globalThis.kept = Array.from({ length: 300 }, (_, i) => {
      const fiber = new Fiber(() => Fiber.suspend({ i }));
      for (let n = i % 3; n > 0; n--) fiber.resume();
      return i % 2 ? fiber : undefined;
    });
    if (Math.random() < 0.5) setImmediate(() => process.exit());
  });
`;
const rounds = process.env.TENDRIL_TEST_LONG ? 40 : 4;
for (let round = 0; round < rounds; round++) {
  const workers = [1, 2, 3].map(() => new Worker(program, { eval: true }));
  await Promise.all(workers.map((worker) => once(worker, 'exit')));
}
console.log('all have ended');
