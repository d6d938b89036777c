'use strict';
/** The thread behind get-sync.cjs. */
const http = require('node:http');
const { parentPort } = require('node:worker_threads');

const agent = new http.Agent({ keepAlive: true });

function answer(memory, state, body) {
  const length = Buffer.from(memory, 8).write(body);
  Atomics.store(new Int32Array(memory), 1, length);
  Atomics.store(new Int32Array(memory), 0, state);
  Atomics.notify(new Int32Array(memory), 0);
}

parentPort.on('message', ({ url, memory }) => {
  const request = http.get(url, { agent }, (response) => {
    let body = '';
    response.setEncoding('utf8');
    response.on('data', (part) => {
      body += part;
    });
    response.on('end', () => answer(memory, response.statusCode === 200 ? 1 : 2, body));
  });
  request.on('error', (error) => answer(memory, 2, error.message));
});
