const { parentPort } = require('node:worker_threads');
const { run } = require('@tendril/core');
const deasync = require('@tendril/deasync');

run(() => {
  deasync.sleep(1);
  parentPort.postMessage('slept in a worker');
});
