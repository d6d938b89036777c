// An echo server whose connections at rest have no greenlet. `state` on standard input: prints its state.
import { getHub, run } from '@tendril/core';
import { StreamServer } from '@tendril/core/server';
import { wrap } from '@tendril/core/socket';
import { statistics } from '@tendril/fiber';

await run(() => {
  const echo = (socket) => socket.sendAll(socket.recv());
  const server = new StreamServer({ port: 0, host: '127.0.0.1' }, echo, { per: 'input' });
  server.start();
  process.stdout.write(`${server.port}\n`);
  const commands = wrap(process.stdin);
  while (commands.readLine() === 'state') {
    globalThis.gc();
    globalThis.gc();
    const { connections, dropped } = server.statistics();
    const state = {
      connections,
      dropped,
      greenlets: getHub().taskCount,
      stacks: statistics().live,
      memory: process.memoryUsage.rss(),
    };
    process.stdout.write(`${JSON.stringify(state)}\n`);
  }
  server.stop();
});
process.exit(0);
