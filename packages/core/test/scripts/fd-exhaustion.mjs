// An echo server that runs out of file descriptors and has to serve on when some are free.
import { run, sleep } from '@tendril/core';
import { StreamServer } from '@tendril/core/server';
import { fewDescriptors } from '../../../../tools/few-descriptors.mjs';

fewDescriptors(48);
await run(() => {
  const server = new StreamServer({ port: 0, host: '127.0.0.1' }, (socket) => {
    for (const chunk of socket) socket.sendAll(chunk);
  });
  server.start();
  process.stdout.write(`${server.port}\n`);
  let stop = false;
  process.once('SIGTERM', () => {
    stop = true;
  });
  while (!stop) sleep(10);
  process.stdout.write(`${JSON.stringify(server.statistics())}\n`);
  server.stop();
});
