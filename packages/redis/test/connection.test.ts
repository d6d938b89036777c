import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type Gate, openGate } from '@tendril/adapter-suite';
import { joinall, sleep, spawn, Timeout, wait } from '@tendril/core';
import { createClient } from '@tendril/redis';
import { ClientClosedError, ClientOfflineError } from 'redis';
import { failure } from './asker.js';
import { address, clientOf, redisTest, until, useServer } from './helpers.js';

useServer();

redisTest('the commands of one turn go out in one write', () => {
  const gate = wait(openGate(address()));
  const far = clientOf({}, gate);
  gate.slow(50);
  const since = performance.now();
  const all = Array.from({ length: 200 }, (_, i) =>
    spawn(() => [far.echo(`a${i}`), far.echo(`b${i}`), far.echo(`c${i}`)]),
  );
  for (const [i, each] of all.entries()) assert.deepEqual(each.get(), [`a${i}`, `b${i}`, `c${i}`]);
  const took = performance.now() - since;
  assert.ok(
    took >= 300 && took < 30_000,
    `600 commands, in three round trips of 100 ms: ${took} ms`,
  );
  gate.slow(0);
  far.close();
  wait(gate.close());
});

redisTest('a killed command leaves the connection in order', (client) => {
  for (let n = 0; n < 50; n++) {
    const asked = Array.from({ length: 10 }, (_, i) => spawn(() => client.echo(`${n}.${i}`)));
    if (n % 2) sleep(0);
    for (let i = 0; i < 10; i += 2) asked[i]?.kill();
    for (let i = 1; i < 10; i += 2) assert.equal(asked[i]?.get(), `${n}.${i}`);
  }
});

redisTest('commands wait for the connection to come back, within limits', (client) => {
  const gate = wait(openGate(address()));
  const far = clientOf({ commandOptions: { timeout: 300 }, commandsQueueMaxLength: 3 }, gate);
  wait(gate.close());
  assert.throws(() => far.echo('x'));
  assert.equal(far.isReady, false);
  const killed = spawn(() => far.incr('counter'));
  const limited = spawn(() => {
    using _limit = Timeout.startNew(20);
    return far.incr('counter');
  });
  const late = spawn(() => far.incr('counter'));
  sleep(0);
  assert.throws(() => far.incr('counter'), { code: 'ERR_REDIS_OFFLINE_QUEUE_FULL' });
  killed.kill();
  joinall([limited, late], { timeout: 60_000 });
  assert.ok(limited.exception instanceof Timeout);
  const { code, cause } = late.exception as { code?: string; cause?: { code?: string } };
  assert.equal(code, 'ERR_REDIS_OFFLINE');
  assert.ok(cause?.code === 'ECONNREFUSED' || cause?.code === 'ECONNRESET', String(cause?.code));
  far.destroy();
  assert.equal(client.get('counter'), null, 'what was given up has never been sent');
});

redisTest('a server that stays away: each attempt to reach it leaves nothing behind', () => {
  const gate = wait(openGate(address()));
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  let attempts = 0;
  const far = clientOf(
    { socket: { host: gate.host, port: gate.port, reconnectStrategy: 1 } },
    gate,
  );
  far.on('reconnecting', () => attempts++);
  wait(gate.close());
  until(() => attempts > 20);
  process.off('warning', onWarning);
  assert.deepEqual(warnings, [], 'no warning of too many listeners');
  far.destroy();
});

redisTest('disableOfflineQueue: no waiting', () => {
  const gate = wait(openGate(address()));
  const far = clientOf({ disableOfflineQueue: true }, gate);
  wait(gate.close());
  until(() => !far.isReady);
  assert.throws(() => far.echo('x'), ClientOfflineError);
  far.destroy();
  assert.throws(() => far.echo('x'), ClientClosedError);
});

redisTest('connect() gives up: a server that refuses, and one that says nothing', () => {
  const silent = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
  wait(once(silent, 'listening'));
  const { port } = silent.address() as AddressInfo;
  const mute = createClient({ socket: { host: '127.0.0.1', port, connectTimeout: 100 } });
  assert.throws(() => mute.connect(), /timeout/i);
  const refused = createClient({ socket: { host: '127.0.0.1', port: 1 } });
  // A busy machine may not bring even a refusal in that time.
  until(() => failure(() => refused.connect({ timeout: 100 }))?.code === 'ECONNREFUSED');
  const wrong = createClient({ socket: address(), password: 'wrong' });
  assert.throws(() => wrong.connect(), /WRONGPASS/);
  const named = createClient({ socket: { ...address(), host: 'localhost' }, password: 'tendril' });
  assert.equal(named.connect().ping(), 'PONG');
  named.close();
  silent.close();
});

redisTest('a URL says it all; a closed client can connect again', () => {
  const { host, port } = address();
  const client = createClient({ url: `redis://default:tendril@${host}:${port}/2` });
  for (let round = 0; round < 3; round++) {
    client.connect();
    assert.equal(client.connect().isReady, true, 'once more does nothing');
    assert.equal(client.clientInfo().db, 2);
    client.rPush('l', 'x');
    assert.equal(client.blPop('l', 0)?.element, 'x');
    client.close();
    assert.equal(client.isOpen, false);
  }
});

redisTest('several greenlets connect at once: it is done once', (client) => {
  const before = client.clientList().length;
  const other = createClient({ socket: address(), password: 'tendril' });
  joinall(Array.from({ length: 10 }, () => spawn(() => other.connect().ping())));
  assert.equal(client.clientList().length, before + 1);
  other.close();
});

redisTest('a network that forwards nothing is found out', () => {
  const [gate, other] = [wait(openGate(address())), wait(openGate(address()))];
  const through = ({ host, port }: Gate) =>
    createClient({
      socket: { host, port, socketTimeout: 600 },
      pingInterval: 50,
      password: 'tendril',
    }).connect();
  const far = through(gate);
  // In the time in which this one is found out.
  const control = through(other);
  other.freeze();
  assert.throws(() => control.echo('lost'), /timeout/i);
  control.destroy();
  other.thaw();
  wait(other.close());
  assert.equal(far.echo('pings keep it alive'), 'pings keep it alive');
  gate.freeze();
  assert.throws(() => far.echo('lost'), /timeout/i);
  gate.thaw();
  assert.equal(far.echo('found'), 'found');
  far.close();
  wait(gate.close());
});

redisTest('events: an error that nobody listens to ends nothing', () => {
  const gate = wait(openGate(address()));
  const far = clientOf({}, gate);
  const seen: string[] = [];
  const other = clientOf({}, gate);
  other.on('error', () => seen.push('error')).on('ready', () => seen.push('ready'));
  gate.cut();
  until(() => seen.includes('ready'));
  assert.equal(seen[0], 'error');
  assert.equal(far.echo('x'), 'x');
  far.close();
  other.close();
  wait(gate.close());
});
