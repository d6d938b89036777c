/** A server in a process that may open few files; its clients are there, too, and take some of them. */
import { closeSync, openSync } from 'node:fs';
import { run, sleep } from '@tendril/core';
import { connect } from '@tendril/core/socket';
import { WSGIServer } from '@tendril/wsgi';
import { fewDescriptors } from '../../../../tools/few-descriptors.mjs';

const app = (_environ, start) => {
  start('200 OK', []);
  return ['ok'];
};

function serve(options) {
  const server = new WSGIServer({ port: 0, host: '127.0.0.1' }, app, options);
  server.start();
  return server;
}

function status(server) {
  const socket = connect({ port: server.port, host: '127.0.0.1' });
  socket.timeout = 10_000;
  try {
    socket.sendAll('GET / HTTP/1.0\r\n\r\n');
    return Number(socket.readUntil('\r\n').toString().slice(9, 12));
  } finally {
    socket.destroy();
  }
}

const modes = {
  fill() {
    const [first, second] = [serve({ maxConnections: 5000 }), serve({ maxConnections: 5000 })];
    const small = serve({ maxConnections: 1 });
    const held = connect({ port: small.port, host: '127.0.0.1' });
    while (small.statistics().connections < 1) sleep(1);
    const statuses = [status(first), status(small)];
    held.destroy();
    for (const server of [first, second, small]) server.stop();
    return { max: second.settings.maxConnections, statuses };
  },

  exhaust() {
    const server = serve({});
    // The client takes the last one: there is none to accept it with.
    const files = [];
    try {
      for (;;) files.push(openSync('/dev/null', 'r'));
    } catch {
      closeSync(files.pop());
    }
    let during = 'answered';
    try {
      status(server);
    } catch {
      during = 'closed';
    }
    for (const file of files) closeSync(file);
    const after = [status(server), status(server), status(server)];
    server.stop();
    return { during, after };
  },
};

fewDescriptors(128);
const result = await run(modes[process.argv[2]]);
console.log(JSON.stringify(result));
