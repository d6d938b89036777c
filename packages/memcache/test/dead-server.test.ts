import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { openGate } from '@tendril/adapter-suite';
import { run, sleep, spawn, wait } from '@tendril/core';
import { assertNoSwitch } from '@tendril/core/testing';
import { Client, type Options } from '#src/index.js';
import { connect, failureOf, keyOf, nameOf, until, withServers } from './helpers.js';

const options: Options = { retry_delay: 0.02, failoverTime: 0.5 };

test(
  'one of two servers dies: its keys go to the other, and come back after failoverTime',
  withServers(2, (first, second) => {
    assert.ok(first && second);
    const log: string[] = [];
    using client = connect([first, second], {
      ...options,
      logger: { log: (line: string) => log.push(line) },
    });
    const [dying, living] = [keyOf(client, 0), keyOf(client, 1)];
    client.set(dying, 'before');
    client.set(living, 'x');
    first.kill();
    assert.equal(client.get(dying).value, null, 'the next server does not have it');
    client.set(dying, 'meanwhile');
    assert.equal(String(client.get(dying).value), 'meanwhile');
    assert.equal(String(client.get(living).value), 'x');
    assert.deepEqual(client.increment(keyOf(client, 0, 'n'), 1), { success: true, value: 0 });
    assert.equal(client.getMulti([dying, living]).size, 2);
    assert.equal(client.servers[0]?.dead, true);
    assert.equal(client.server(dying), client.servers[1]);
    assert.throws(() => client.version(), { code: 'ERR_MEMCACHE_PARTIAL' });
    first.start();
    until('it comes back', () => {
      client.get(dying); // none of these fails
      return client.servers[0]?.dead === false;
    });
    assert.equal(client.get(dying).value, null, 'it is empty');
    assert.equal(String(client.get(living).value), 'x');
    assert.match(log.join(), /is dead: .*ECONNREFUSED.*is back/);
  }),
);

test(
  'failover: false: keys of a dead server fail at once, the others go on, and it is found again',
  withServers(2, (first, second) => {
    assert.ok(first && second);
    using client = connect([first, second], {
      ...options,
      failover: false,
      retries: 0,
      retry_delay: 60,
    });
    using soon = connect([first, second], { ...options, failover: false, retry_delay: 0.1 });
    const [dying, living] = [keyOf(client, 0), keyOf(client, 1)];
    client.set(living, 'x');
    first.kill();
    assert.equal(failureOf(() => client.get(dying)).code, 'ECONNREFUSED');
    const { code } = assertNoSwitch(() => failureOf(() => client.get(dying)));
    assert.equal(code, 'ERR_MEMCACHE_SERVER_DEAD');
    assert.equal(failureOf(() => client.getMulti([dying, living])).code, code);
    assert.equal(String(client.get(living).value), 'x');
    assert.equal(failureOf(() => soon.get(dying)).code, 'ECONNREFUSED');
    first.start();
    until('it is found again', () => {
      try {
        return soon.set(dying, 'again');
      } catch (error) {
        assert.equal((error as { code: string }).code, code);
        return false;
      }
    });
  }),
);

test(
  'all servers dead: errors at once, and each is found again soon after its start',
  withServers(1, (service) => {
    using client = connect([service], { ...options, failoverTime: 60 });
    client.set('a', 'b');
    service.kill();
    assert.equal(failureOf(() => client.get('a')).code, 'ECONNREFUSED');
    for (let i = 0; i < 100; i++)
      assert.match(failureOf(() => client.get('a')).code, /ECONNREFUSED|SERVER_DEAD/);
    service.start();
    sleep(30);
    assert.equal(client.set('a', 'b'), true);
  }),
);

test(
  'a server that starts again between two commands is not missed',
  withServers(1, (service) => {
    using client = connect([service]);
    client.set('a', 'b');
    service.kill();
    service.start();
    assert.equal(client.get('a').value, null);
    assert.equal(client.increment('n', 1).value, 0);
  }),
);

test(
  'one that takes connections and does not answer is dead after conntimeout',
  withServers(2, (first, second) => {
    assert.ok(first && second);
    const gate = wait(openGate(first));
    using client = Client.create(`${nameOf(gate)},${nameOf(second)}`, {
      ...options,
      timeout: 0.1,
    });
    gate.freeze();
    const since = performance.now();
    const all = Array.from({ length: 20 }, (_, i) =>
      spawn(() => client.set(keyOf(client, 0, `k${i}-`), 'x')),
    );
    for (const each of all) assert.equal(each.get(), true);
    const took = performance.now() - since;
    assert.ok(took >= 190, `${took} ms: conntimeout is twice the timeout`);
    assert.equal(client.servers[0]?.dead, true);
    client.close();
    wait(gate.close());
  }),
);

test('a name that does not exist is an error with its code', () =>
  run(() => {
    using client = Client.create('no-such-host.invalid', { retries: 0 });
    assert.match(
      failureOf(() => client.get('a')).code,
      /ENOTFOUND|EAI_AGAIN|ETIMEOUT|CONNECT_TIME/,
    );
  }) as Promise<void>);

test('a peer that speaks another protocol is an error, however it answers', async () => {
  const answers = ['HTTP/1.1 400 Bad Request\r\n\r\n', '-ERR unknown\r\n', '\x81\0\xff\xff', ''];
  for (const answer of answers) {
    const peer = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        if (answer.length > 4 || answer === '') socket.end(answer);
        else socket.write(Buffer.concat([Buffer.from(answer, 'latin1'), Buffer.alloc(40)]));
      });
    });
    peer.listen(0, '127.0.0.1');
    await new Promise((resolve) => peer.once('listening', resolve));
    const { port } = peer.address() as { port: number };
    await run(() => {
      using client = Client.create(`127.0.0.1:${port}`, { retries: 0 });
      const { code } = failureOf(() => client.get('a'));
      const expected = answer === '' ? 'ERR_MEMCACHE_DISCONNECTED' : 'ERR_MEMCACHE_PROTOCOL';
      assert.equal(code, expected, answer);
    });
    await new Promise((resolve) => peer.close(resolve));
  }
});
