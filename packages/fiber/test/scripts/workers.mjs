// Fibers in workers: used, terminated while parked, terminated while one runs, left by process.exit().
// The main thread never loads the addon. Prints one line per case.
import { Worker } from 'node:worker_threads';

const program = new URL('./worker-body.mjs', import.meta.url);

function start(mode) {
  return new Promise((resolve) => {
    const worker = new Worker(program, { argv: [mode] });
    let last = 'nothing';
    worker.on('message', (message) => {
      last = message;
      if (message === 'parked' || message === 'busy') worker.terminate();
    });
    worker.on('error', (error) => {
      last = error.message;
    });
    worker.on('exit', (code) => resolve(`${mode}: ${last}, exit ${code}`));
  });
}

console.log((await Promise.all([1, 2, 3, 4].map(() => start('finish')))).join('\n'));
console.log((await Promise.all([1, 2, 3, 4].map(() => start('park')))).join('\n'));
console.log(await start('busy'));
console.log(await start('exit'));
for (let i = 0; i < 3; i++) await start('park');
const before = process.memoryUsage.rss();
for (let i = 0; i < 20; i++) await start('park');
const grown = (process.memoryUsage.rss() - before) / 20;
console.log(`grows: ${grown < 1024 * 1024 ? 'no' : `${Math.round(grown / 1024)} KB per worker`}`);
