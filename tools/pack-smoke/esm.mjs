import assert from 'node:assert/strict';
import { joinall, run, sleep, spawn } from '@tendril/core';
import { getaddrinfo } from '@tendril/core/resolver';
import { select } from '@tendril/core/select';
import { StreamServer } from '@tendril/core/server';
import { waitSignal } from '@tendril/core/signal';
import { connect } from '@tendril/core/socket';
import { check } from '@tendril/core/subprocess';
import * as testing from '@tendril/core/testing';
import { ThreadPool } from '@tendril/core/threadpool';
import deasync from '@tendril/deasync';
import { Fiber, support } from '@tendril/fiber';
import NodeFiber from '@tendril/fibers';
import Future from '@tendril/fibers/future';
import * as memcache from '@tendril/memcache';
import * as mysql from '@tendril/mysql';
import * as pg from '@tendril/pg';
import * as redis from '@tendril/redis';
import * as websocket from '@tendril/websocket';
import { fetchApp, WSGIServer } from '@tendril/wsgi';
import * as zmq from '@tendril/zmq';

assert.equal(support.supported, true, support.reason);
const fiber = new Fiber(() => Fiber.suspend('parked'));
assert.equal(fiber.resume(), 'parked');
assert.equal(fiber.resume('done'), 'done');

const nap = (ms, value) => {
  sleep(ms);
  return value;
};
const values = await run(() => {
  const greenlets = [spawn(nap, 20, 'slow'), spawn(nap, 1, 'fast')];
  joinall(greenlets);
  return greenlets.map((greenlet) => greenlet.get());
});
assert.deepEqual(values, ['slow', 'fast']);
assert.ok(Object.keys(testing).length > 0);
const echoed = await run(() => {
  const server = new StreamServer({ port: 0, host: '127.0.0.1' }, (socket) => {
    for (const chunk of socket) socket.sendAll(chunk);
  });
  server.start();
  const [{ address }] = getaddrinfo('localhost', server.port, { family: 4 });
  const socket = connect({ host: address, port: server.port });
  socket.sendAll('hello\n');
  select([socket]);
  const line = socket.readLine();
  socket.close();
  server.stop();
  return line;
});
assert.equal(echoed, 'hello');
assert.equal(await run(() => check('echo', ['hi'])), 'hi\n');
assert.equal(await run(() => new ThreadPool(1).apply((n) => n + 1, [1])), 2);
assert.equal(typeof waitSignal, 'function');
const echoing = NodeFiber((value) => NodeFiber.yield(value));
assert.equal(echoing.run('echo'), 'echo');
echoing.run();
assert.equal(await Future.task(() => 'task').promise(), 'task');
assert.equal(await run(() => deasync((callback) => setImmediate(callback, null, 1))()), 1);

const app = (environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [`Hello ${environ.PATH_INFO}`];
};
const served = async (application, use) => {
  const server = new WSGIServer('127.0.0.1:0', application);
  await run(() => server.start());
  const result = await use(server.port);
  await run(() => server.stop());
  return result;
};
const body = (port) => fetch(`http://127.0.0.1:${port}/x`).then((response) => response.text());
assert.equal(await served(app, body), 'Hello /x');
assert.equal(
  await served(
    fetchApp(async (request) => new Response(request.method)),
    body,
  ),
  'GET',
);
const echo = websocket.websocketApp((socket) => {
  for (const message of socket) socket.send(message);
});
const heard = await served(echo, (port) =>
  run(() => {
    const socket = websocket.connect(`ws://127.0.0.1:${port}/`);
    socket.send('hello');
    const message = socket.receive();
    socket.close();
    return message;
  }),
);
assert.equal(heard, 'hello');
assert.match(
  await run(() => check('npx', ['--no', '--', 'tendril-wsgi', '--version'])),
  /^tendril-wsgi .*\d/,
);
// Drivers without a server here: that they load, and say what is wrong in the words of their own.
const refused = (attempt) => run(() => assert.throws(attempt, { code: 'ECONNREFUSED' }));
const nowhere = { host: '127.0.0.1', port: 1 };
await refused(() => new pg.Pool(nowhere).query('SELECT 1'));
await refused(() => mysql.createPool(nowhere).query('SELECT 1'));
assert.equal(typeof redis.createClient, 'function');
assert.equal(typeof memcache.Client.create, 'function');
const piped = await run(() => {
  const pull = new zmq.Pull();
  const push = new zmq.Push();
  pull.bind('tcp://127.0.0.1:*');
  push.connect(pull.lastEndpoint);
  push.send('hello');
  const text = String(pull.receive());
  push.close();
  pull.close();
  return text;
});
assert.equal(piped, 'hello');
console.log('esm: ok');
