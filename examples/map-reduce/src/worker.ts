#!/usr/bin/env node
/** A worker process: `worker ADDRESS`. It maps parts until it is told to stop, or its input ends. */
import { run, spawn, wait } from '@tendril/core';
import { Dealer } from '@tendril/zmq';
import { decode, encode, type FromWorker, type Job, type ToWorker } from './protocol.js';
import { wordCount } from './word-count.js';

function work(job: Job<unknown, unknown, unknown>, address: string): void {
  using socket = new Dealer();
  socket.connect(address);
  const say = (message: FromWorker) => socket.send(encode(message));
  say({ say: 'ready' });
  for (const [frame] of socket) {
    const message = decode<ToWorker>(frame as Buffer);
    if (message.say === 'stop') return;
    const { task, part } = message;
    try {
      say({ say: 'done', task, mapped: job.map(part) });
    } catch (error) {
      say({ say: 'failed', task, why: String(error) });
    }
  }
}

await run(() => {
  const [address = ''] = process.argv.slice(2);
  const working = spawn(() => work(wordCount as Job<unknown, unknown, unknown>, address));
  // Whoever started it has gone.
  process.stdin.resume().on('end', () => working.kill({ block: false }));
  wait(working.toPromise());
});
process.exit(0);
