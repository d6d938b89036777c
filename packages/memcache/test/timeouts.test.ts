import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openGate } from '@tendril/adapter-suite';
import { joinall, sleep, spawn, Timeout, wait } from '@tendril/core';
import { Client } from '#src/index.js';
import { connect, failureOf, keyOf, nameOf, until, withServers } from './helpers.js';

test(
  'a server that stands still: only those who waited for it fail, and each by its own deadline',
  withServers(2, (...services) => {
    using client = connect(services, { timeout: 0.3, retries: 0 });
    const [still, other] = [keyOf(client, 0), keyOf(client, 1)];
    client.set(still, 'x');
    client.set(other, 'x');
    services[0]?.pause();
    // How much this machine adds to the time of each.
    const since = performance.now();
    const clocks = [0, 100, 200].map((ms) =>
      spawn(() => {
        sleep(ms + 300);
        return performance.now() - since - (ms + 300);
      }),
    );
    const waiting = [0, 100, 200].map((ms) =>
      spawn(() => {
        sleep(ms);
        return failureOf(() => client.get(still));
      }),
    );
    const going = spawn(() => {
      for (let i = 0; i < 100; i++) {
        assert.equal(String(client.get(other).value), 'x');
        sleep(2);
      }
    });
    for (const [i, each] of waiting.entries()) {
      const { code, took } = each.get();
      const late = clocks[i]?.get() ?? 0;
      assert.equal(code, 'ERR_MEMCACHE_TIMEOUT');
      assert.ok(took >= 295 && took < 450 + 5 * late, `${took} ms, and clocks are ${late} ms late`);
    }
    going.get();
    services[0]?.resume();
    assert.equal(String(client.get(still).value), 'x');
  }),
);

test(
  'an answer that comes late is nobody else’s, and the connection goes on',
  withServers(1, (service) => {
    const gate = wait(openGate(service));
    using client = Client.create(nameOf(gate), { timeout: 5 });
    for (let i = 0; i < 20; i++) client.set(`k${i}`, `v${i}`);
    gate.slow(50);
    const impatient = Array.from({ length: 10 }, (_, i) =>
      spawn(() => {
        const limit = Timeout.startNew(30);
        const { error } = failureOf(() => client.get(`k${i}`));
        assert.equal(error, limit);
      }),
    );
    const patient = Array.from({ length: 10 }, (_, i) =>
      spawn(() => client.get(`k${i + 10}`).value?.toString()),
    );
    joinall(impatient, { raiseError: true });
    for (const [i, each] of patient.entries()) assert.equal(each.get(), `v${i + 10}`);
    assert.equal(gate.connections, 1);
    client.close();
    wait(gate.close());
  }),
);

test(
  'increment and append are sent once, though nobody has heard of their end',
  withServers(1, (service) => {
    using client = connect([service], { timeout: 0.2, conntimeout: 0.3, failoverTime: 0.1 });
    client.set('number', '0');
    client.set('text', '>');
    service.pause();
    const ask = (fn: () => unknown) => spawn(() => failureOf(fn).code);
    const all = Array.from({ length: 5 }, () => [
      ask(() => client.increment('number', 1)),
      ask(() => client.append('text', '1')),
    ]);
    for (const each of all.flat()) assert.equal(each.get(), 'ERR_MEMCACHE_TIMEOUT');
    // These find no connection that answers: they are not sent at all.
    for (const fn of [() => client.increment('number', 1), () => client.append('text', '1')])
      assert.match(failureOf(fn).code, /ERR_MEMCACHE_(CONNECT_TIMEOUT|SERVER_DEAD)/);
    service.resume();
    const read = (key: string) => {
      try {
        return String(client.get(key).value);
      } catch {
        return ''; // dead until failoverTime is over
      }
    };
    until('the server has done what it was sent', () => Number(read('number')) >= 5);
    until('the other half', () => read('text').length >= 6);
    assert.equal(read('number'), '5');
    assert.equal(read('text'), '>11111');
  }),
);

test(
  'what a server does not take is dropped with its connection',
  withServers(1, (service) => {
    using client = connect([service], { timeout: 0.2, retries: 0 });
    client.set('a', 'b');
    service.pause();
    const large = Buffer.alloc(1_000_000);
    const all = Array.from({ length: 30 }, (_, i) =>
      spawn(() => failureOf(() => client.set(`large${i}`, large)).code),
    );
    for (const each of all) assert.equal(each.get(), 'ERR_MEMCACHE_TIMEOUT');
    assert.equal(client.servers[0]?.pending, 0);
    assert.equal(client.servers[0]?.connected, false);
    service.resume();
    assert.equal(String(client.get('a').value), 'b');
    const sessions = () => client.stats()[nameOf(service)]?.curr_connections;
    until('its session has ended', () => sessions() === '1');
  }),
);

test(
  'a thread that was busy for longer than all limits holds nothing against the server',
  withServers(1, (service) => {
    using client = connect([service], { timeout: 0.1, retries: 0 });
    const block = (ms: number) => {
      for (const end = performance.now() + ms; performance.now() < end; );
    };
    const connecting = spawn(() => client.set('a', 'b'));
    sleep(0);
    block(500);
    assert.equal(connecting.get(), true);
    const asking = spawn(() => String(client.get('a').value));
    sleep(0);
    block(300);
    assert.equal(asking.get(), 'b');
  }),
);

test(
  'a connection that breaks: get is sent again, increment is not',
  withServers(1, (service) => {
    const gate = wait(openGate(service));
    using client = Client.create(nameOf(gate), { retry_delay: 0.01 });
    client.set('n', '0');
    gate.freeze();
    const asking = spawn(() => String(client.get('n').value));
    const counting = spawn(() => failureOf(() => client.increment('n', 1)));
    until('both are on their way', () => client.servers[0]?.pending === 2);
    sleep(0);
    gate.cut();
    gate.thaw();
    assert.equal(asking.get(), '0');
    const { code, error } = counting.get();
    assert.ok(['ECONNRESET', 'ERR_MEMCACHE_DISCONNECTED'].includes(code), code);
    assert.equal((error as { sent?: boolean }).sent, true);
    client.close();
    wait(gate.close());
  }),
);

test(
  'no more than maxPending are on their way; those beyond wait, for acquireTimeout',
  withServers(1, (service) => {
    using client = connect([service], {
      maxPending: 2,
      acquireTimeout: 100,
      timeout: 0.5,
      retries: 0,
    });
    client.set('a', 'b');
    const [server] = client.servers;
    service.pause();
    const all = Array.from({ length: 2 }, () => spawn(() => failureOf(() => client.get('a')).code));
    sleep(0);
    assert.equal(server?.pending, 2);
    const line = spawn(() => failureOf(() => client.get('a')));
    const victim = spawn(() => client.get('a'));
    sleep(0);
    assert.equal(server?.waiting, 2);
    victim.kill();
    assert.equal(server?.waiting, 1);
    const { code, took } = line.get();
    assert.equal(code, 'ERR_ACQUIRE_TIMEOUT');
    assert.ok(took >= 95, `${took} ms`); // and before there is a place by a timeout
    for (const each of all) assert.equal(each.get(), 'ERR_MEMCACHE_TIMEOUT');
    service.resume();
    assert.equal(String(client.get('a').value), 'b');
    assert.equal(server?.pending, 0);
  }),
);
