import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openGate } from '@tendril/adapter-suite';
import { joinall, run, sleep, spawn, Timeout, wait } from '@tendril/core';
import { Client } from '#src/index.js';
import { connect, failureOf, keyOf, nameOf, withServers } from './helpers.js';

test(
  'a server that stands still: only those who waited for it fail, and each by its own deadline',
  withServers(2, (...services) => {
    using client = connect(services, { timeout: 0.3, retries: 0 });
    const [still, other] = [keyOf(client, 0), keyOf(client, 1)];
    client.set(still, 'x');
    client.set(other, 'x');
    services[0]?.pause();
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
    for (const each of waiting) {
      const { code, took } = each.get();
      assert.equal(code, 'ERR_MEMCACHE_TIMEOUT');
      assert.ok(took >= 295 && took < 450, `${took} ms`);
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
    using client = Client.create(nameOf(gate as never), { timeout: 5 });
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

for (const name of ['increment', 'append'] as const)
  test(
    `${name} is sent once, whatever happens`,
    withServers(1, (service) => {
      using client = connect([service], { timeout: 0.2, conntimeout: 0.3, failoverTime: 0.1 });
      client.set('n', '0');
      service.pause();
      const all = Array.from({ length: 5 }, () =>
        spawn(() => failureOf(() => client[name]('n', 1 as never & '1')).code),
      );
      if (name === 'append') {
        // not a number there: refused before it is sent
        for (const each of all) assert.equal(each.get(), 'ERR_INVALID_ARG');
        const some = Array.from({ length: 5 }, () =>
          spawn(() => failureOf(() => client.append('n', '1')).code),
        );
        for (const each of some) assert.equal(each.get(), 'ERR_MEMCACHE_TIMEOUT');
      } else for (const each of all) assert.equal(each.get(), 'ERR_MEMCACHE_TIMEOUT');
      sleep(300);
      service.resume();
      sleep(300);
      assert.equal(String(client.get('n').value), name === 'append' ? '011111' : '5');
    }),
  );

test(
  'a connection that breaks: get is sent again, increment is not',
  withServers(1, (service) => {
    const gate = wait(openGate(service));
    using client = Client.create(nameOf(gate as never), { retry_delay: 0.01 });
    client.set('n', '0');
    gate.slow(20);
    const asking = spawn(() => String(client.get('n').value));
    const counting = spawn(() => failureOf(() => client.increment('n', 1)));
    sleep(5);
    gate.cut();
    gate.slow(0);
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
    sleep(10);
    assert.equal(server?.pending, 2);
    const line = spawn(() => failureOf(() => client.get('a')));
    const victim = spawn(() => client.get('a'));
    sleep(10);
    assert.equal(server?.waiting, 2);
    victim.kill();
    assert.equal(server?.waiting, 1);
    const { code, took } = line.get();
    assert.equal(code, 'ERR_ACQUIRE_TIMEOUT');
    assert.ok(took >= 95 && took < 200, `${took} ms`);
    for (const each of all) assert.equal(each.get(), 'ERR_MEMCACHE_TIMEOUT');
    service.resume();
    assert.equal(String(client.get('a').value), 'b');
    assert.equal(server?.pending, 0);
  }),
);

test('nothing keeps the process alive after close', () =>
  run(() => {
    const client = Client.create('localhost:1');
    client.close();
  }) as Promise<void>);
