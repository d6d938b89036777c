// A worker thread with sockets that send and receive, and one of several ends.
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { run, sleep, spawn, Timeout, withTimeout } from '@tendril/core';
import * as zmq from '@tendril/zmq';

const [how] = process.argv.slice(2);

/** @param {unknown} line */
const say = (line) => parentPort?.postMessage(line);

/** @param {string} end */
function work(end) {
  const to = new zmq.Pull({ receiveHighWaterMark: 5, linger: 0 });
  to.bind('tcp://127.0.0.1:*');
  const from = new zmq.Push({ sendHighWaterMark: 5, linger: 0 });
  from.connect(String(to.lastEndpoint));
  spawn(() => {
    for (let n = 0; n < 200; n++) from.send([String(n), Buffer.alloc(100_000)]);
  });
  let right = 0;
  for (let n = 0; n < 200; n++) if (String(to.receive()[0]) === String(n)) right++;
  say(`${right} of 200, in order`);
  try {
    to.events.receive();
  } catch (error) {
    say(error.code);
  }
  try {
    withTimeout(20, () => to.receive());
  } catch (error) {
    say(error instanceof Timeout ? 'a Timeout' : error);
  }
  spawn(() => to.receive());
  spawn(() => new zmq.Push({ linger: 0 }).send('to nobody'));
  spawn(() => new zmq.Dealer({ linger: 0 }).receive());
  sleep(20); // they wait now
  say('ready');
  if (end === 'exit') setTimeout(() => process.exit(3), 100);
  if (end === 'throw')
    setTimeout(() => {
      throw new Error('boom');
    }, 100);
  sleep(60_000);
}

if (isMainThread) {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: how });
  worker.on('error', (error) => console.log(`error: ${error.message}`));
  worker.on('message', async (line) => {
    if (line !== 'ready') console.log(line);
    else if (how === 'process') process.exit(0);
    else if (how === 'terminate') await worker.terminate();
  });
  worker.on('exit', (code) => console.log(`ended: ${code}`));
} else {
  run(() => work(workerData));
}
