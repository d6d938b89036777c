// A server for the fault tests: prints its port, and its state for each line that it gets.
import readline from 'node:readline';
import { run, sleep } from '@tendril/core';
import { statistics } from '@tendril/fiber';
import { WSGIServer } from '@tendril/wsgi';

const limits = JSON.parse(process.argv[2] ?? '{}');
let begun = 0;
let ended = 0;

const app = (environ, startResponse) => {
  if (environ.PATH_INFO === '/read') environ['wsgi.input'].read();
  startResponse('200 OK', []);
  if (environ.PATH_INFO !== '/stream') return ['ok'];
  return (function* () {
    begun++;
    try {
      for (;;) {
        yield Buffer.alloc(16_384);
        sleep(0);
      }
    } finally {
      ended++;
    }
  })();
};

await run(() => {
  const server = new WSGIServer({ port: 0, host: '127.0.0.1' }, app, limits);
  server.start();
  console.log(server.port);
  const input = readline.createInterface({ input: process.stdin });
  input.on('line', (line) => {
    if (line === 'collect') globalThis.gc?.();
    const { rss } = process.memoryUsage();
    const { live } = statistics();
    console.log(
      JSON.stringify({ ...server.statistics(), begun, ended, memory: rss, stacks: live }),
    );
  });
  input.on('close', () => server.close());
  server.serveForever();
});
