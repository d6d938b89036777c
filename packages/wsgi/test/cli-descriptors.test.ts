/** The command when file descriptors run out, in a worker or in the first process. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import {
  Command,
  connectionsOf,
  eventually,
  leaveDescriptors,
  limitDescriptors,
  plain,
} from './cli-harness.js';

const sockets = new Set<Socket>();
after(() => {
  for (const socket of sockets) socket.destroy();
});

/** A client that has connected, and says nothing yet. */
async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  sockets.add(socket);
  await once(socket, 'connect');
  return socket;
}

const clients = (port: number, count: number) =>
  Promise.all(Array.from({ length: count }, () => connected(port)));

const ask = (socket: Socket, path: string): Promise<string> => {
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  return text(socket);
};

const plenty = 1024;

test('a worker that was out of descriptors gets what it missed, and all serve once', async () => {
  const command = await Command.start(plain);
  const [worker = 0] = await command.pids(1);
  await leaveDescriptors(worker, 3);
  const all = await clients(command.port, 8);
  await command.logged(/could not take a connection/);
  // Nothing but the ends of other connections lets it take the rest.
  const answers = await Promise.all(all.map((socket) => ask(socket, '/count')));
  const counts = answers.map((answer) => Number(answer.split('\r\n\r\n')[1]));
  assert.deepEqual(counts.toSorted(), [1, 2, 3, 4, 5, 6, 7, 8], command.log);
  assert.equal(await command.stop(), 0);
});

test('a worker out of descriptors is passed over, and takes its turn again later', async () => {
  const command = await Command.start('-w', '2', plain);
  const [poor = 0, other = 0] = await command.pids(2);
  await leaveDescriptors(poor, 0);
  await eventually('a connection that it misses', async () => {
    const { body } = await command.get('/pid');
    assert.equal(body, String(other));
    return /could not take a connection/.test(command.log);
  });
  for (let n = 0; n < 20; n++) assert.equal((await command.get('/pid')).body, String(other));
  limitDescriptors(poor, plenty);
  assert.deepEqual(await command.pids(2), new Set([poor, other]));
  assert.equal(command.bootedPids.length, 2);
  assert.equal(await command.stop(), 0);
});

test('connections that a worker cannot take outlive a reload', async () => {
  const command = await Command.start('--keep-alive', '0.2', plain);
  const [poor = 0] = await command.pids(1);
  await leaveDescriptors(poor, 0);
  const client = await connected(command.port);
  await command.logged(/could not take a connection/);
  limitDescriptors(command.process.pid as number, plenty);
  command.signal('SIGHUP');
  assert.match(await ask(client, '/pid'), new RegExp(`\\r\\n${command.bootedPids.at(-1)}$`));
  assert.equal(await command.stop(), 0);
});

test('a worker that no longer listens to the first process is replaced', async () => {
  const command = await Command.start('--timeout', '1', plain);
  const [deaf = 0] = await command.pids(1);
  assert.equal((await command.get('/deaf')).body, 'what?');
  // What it was given it may have begun to read.
  await assert.rejects(command.get('/pid'), /ECONNRESET|socket hang up/);
  assert.notEqual((await command.get('/pid')).body, String(deaf));
  assert.match(command.log, /does not take the connections that it is given: killing it/);
  assert.equal(await command.stop(), 0);
});

test('a first process out of descriptors accepts again when there are some', async () => {
  const command = await Command.start(plain);
  const arbiter = command.process.pid as number;
  const [worker = 0] = await command.pids(1);
  await leaveDescriptors(arbiter, 3);
  process.kill(worker, 'SIGSTOP'); // so that connections stay where they are
  const all = await clients(command.port, 8);
  // What it cannot accept it closes or leaves with the kernel, as its libuv has it.
  await eventually('three that are accepted', () => connectionsOf(arbiter) === 3);
  process.kill(worker, 'SIGCONT');
  const answers = await Promise.all(all.map((socket) => ask(socket, '/pid').catch(() => '')));
  assert.ok(answers.filter((answer) => answer.endsWith(`\n${worker}`)).length >= 3);
  assert.equal((await command.get('/pid')).body, String(worker));
  assert.equal(await command.stop(), 0);
});

test('a worker that cannot be started for want of descriptors is started later', async () => {
  const command = await Command.start(plain);
  const arbiter = command.process.pid as number;
  const [worker = 0] = await command.pids(1);
  await leaveDescriptors(arbiter, 0);
  process.kill(worker, 'SIGKILL');
  await command.logged(/cannot be started: spawn .* EMFILE/);
  limitDescriptors(arbiter, plenty);
  assert.notEqual((await command.get('/pid')).body, String(worker));
  assert.equal(await command.stop(), 0);
});
