import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, spawn } from '@tendril/core';
import { Client, ServerError } from '#src/index.js';
import { connect, nameOf, withServers } from './helpers.js';

const text = (client: Client, key: string) => client.get(key).value?.toString() ?? null;

test(
  'set, get, add, replace, append, prepend, delete, touch',
  withServers(1, (service) => {
    using client = connect([service]);
    assert.deepEqual(client.get('a'), { value: null, flags: null });
    assert.equal(client.set('a', 'one'), true);
    assert.deepEqual(client.get('a'), { value: Buffer.from('one'), flags: Buffer.alloc(4) });
    assert.equal(client.add('a', 'two'), false);
    assert.equal(client.add('b', Buffer.from([0, 255])), true);
    assert.deepEqual(client.get('b').value, Buffer.from([0, 255]));
    assert.equal(client.replace('a', 'two'), true);
    assert.equal(client.replace('c', 'none'), false);
    assert.equal(client.append('a', '>'), true);
    assert.equal(client.prepend('a', '<'), true, 'memjs appends here');
    assert.equal(text(client, 'a'), '<two>');
    assert.equal(client.append('c', 'x'), false, 'memjs throws here');
    assert.equal(client.prepend('c', 'x'), false);
    assert.equal(client.touch('a', 100), true);
    assert.equal(client.touch('c', 100), false);
    assert.equal(client.delete('a'), true);
    assert.equal(client.delete('a'), false);
    assert.equal(text(client, 'a'), null);
    client.set('empty', '');
    assert.equal(text(client, 'empty'), '');
    client.quit();
  }),
);

test(
  'counters count beyond 32 bits, never below 0, and begin with `initial`',
  withServers(1, (service) => {
    using client = connect([service]);
    assert.deepEqual(client.increment('n', 5), { success: true, value: 0 });
    assert.deepEqual(client.increment('n', 5), { success: true, value: 5 });
    assert.deepEqual(client.decrement('n', 7), { success: true, value: 0 });
    assert.deepEqual(client.decrement('m', 1, { initial: 9 }), { success: true, value: 9 });
    assert.equal(client.increment('big', 1, { initial: 2 ** 52 }).value, 2 ** 52);
    assert.equal(client.increment('big', 2 ** 40).value, 2 ** 52 + 2 ** 40);
    client.set('word', 'abc');
    assert.throws(() => client.increment('word', 1), { code: 'ERR_MEMCACHE_SERVER', status: 6 });
  }),
);

test(
  'expiry: an explicit 0 is never, whatever the default is',
  withServers(1, (service) => {
    using client = connect([service], { expires: 1 });
    client.set('short', 'x');
    client.set('long', 'x', { expires: 0 });
    client.increment('n', 1, { expires: 0 });
    using keeper = connect([service]);
    keeper.set('touched', 'x');
    client.touch('touched');
    // The server's clock ticks once a second; an item may live for up to two.
    const deadline = performance.now() + 30_000;
    while (text(client, 'short') !== null || text(client, 'touched') !== null) {
      assert.ok(performance.now() < deadline, 'it did not expire');
    }
    assert.equal(text(client, 'long'), 'x');
    assert.equal(text(client, 'n'), '0');
  }),
);

test(
  'getMulti: 1,000 keys over two servers, the misses left out',
  withServers(2, (...services) => {
    using client = connect(services);
    const keys = Array.from({ length: 1000 }, (_, i) => `key-${i}-ü`);
    for (const key of keys.filter((_, i) => i % 3 > 0)) client.set(key, `value of ${key}`);
    const found = client.getMulti([...keys, ...keys]);
    assert.equal(found.size, 666);
    for (const [key, { value }] of found) assert.equal(String(value), `value of ${key}`);
    assert.equal(client.getMulti([]).size, 0);
    assert.equal(client.getMulti(['none']).size, 0);
    assert.throws(() => client.getMulti(['good', 'no good']), { code: 'ERR_INVALID_ARG' });
  }),
);

test(
  'large values: up to the server’s limit; beyond it an error, and the connection goes on',
  withServers(1, (service) => {
    using client = connect([service], { timeout: 5 });
    const large = Buffer.alloc(1_000_000, 'abcdefg');
    const all = Array.from({ length: 10 }, (_, i) => spawn(() => client.set(`l${i}`, large)));
    for (const each of all) assert.equal(each.get(), true);
    for (let i = 0; i < 10; i++) assert.ok(client.get(`l${i}`).value?.equals(large));
    assert.throws(() => client.set('l0', Buffer.alloc(1_100_000)), ServerError);
    assert.equal(client.set('after', 'x'), true);
    const { value } = client.get('after');
    assert.ok(
      (value?.buffer.byteLength ?? 0) <= Buffer.poolSize,
      'it keeps no more than any Buffer',
    );
  }),
);

test(
  'what is no key, value, amount or expiry is not sent',
  withServers(1, (service) => {
    using client = connect([service]);
    const bad = { code: 'ERR_INVALID_ARG' };
    for (const key of [
      '',
      'a b',
      'a\nb',
      'a\0',
      '\x7f',
      'k'.repeat(251),
      'ü'.repeat(126),
      '\ud800',
    ])
      for (const name of ['get', 'delete', 'touch'] as const)
        assert.throws(() => client[name](key), bad, JSON.stringify(key));
    assert.equal(client.set('ü'.repeat(125), 'fits'), true);
    assert.throws(() => client.set(1 as never, 'x'), bad);
    for (const value of [1, null, undefined, {}])
      assert.throws(() => client.set('k', value as never), bad);
    for (const expires of [-1, 0.5, 2 ** 32, Number.NaN])
      assert.throws(() => client.set('k', 'x', { expires }), bad);
    for (const amount of [-1, 0.5, 2 ** 53, Number.NaN])
      assert.throws(() => client.increment('k', amount), bad);
    assert.throws(() => Client.create('host:99999'), bad);
    assert.throws(() => Client.create('a b'), bad);
    assert.throws(() => Client.create('a', { timeout: 0 }), bad);
    assert.throws(() => Client.create('a', { retries: -1 }), bad);
    assert.throws(() => new Client([]), bad);
    assert.equal(client.stats()[nameOf(service)]?.cmd_set, '1');
  }),
);

test(
  'flush, version, stats of every server',
  withServers(2, (...services) => {
    using client = connect(services);
    const names = services.map(nameOf).sort();
    for (let i = 0; i < 10; i++) client.set(`k${i}`, 'x');
    assert.deepEqual(Object.keys(client.flush()).sort(), names);
    assert.equal(client.getMulti(Array.from({ length: 10 }, (_, i) => `k${i}`)).size, 0);
    assert.deepEqual(Object.values(client.flushAll()), [true, true]);
    for (const version of Object.values(client.version())) assert.match(version, /^\d+\.\d+/);
    const count = () =>
      Object.values(client.stats()).reduce((sum, each) => sum + Number(each.cmd_set), 0);
    assert.equal(count(), 10);
    client.resetStats();
    assert.equal(count(), 0);
    assert.deepEqual(Object.keys(client.statsWithKey('settings')).sort(), names);
    assert.throws(() => client.statsWithKey('nonsense'), { code: 'ERR_MEMCACHE_PARTIAL' });
  }),
);

test(
  'a serializer, and a getServer of one’s own, as with memjs',
  withServers(2, (...services) => {
    const flags = Buffer.from([0, 0, 0, 7]);
    const names = services.map(nameOf).join();
    using client = Client.create<unknown, unknown>(names, {
      serializer: {
        serialize: (_opcode, value, extras) => {
          flags.copy(extras);
          return { value: JSON.stringify(value), extras };
        },
        deserialize: (_opcode, value, extras) => ({ value: JSON.parse(String(value)), extras }),
      },
    });
    client.getServer = () => 1;
    client.set('a', { b: [1, 2] });
    assert.deepEqual(client.get('a'), { value: { b: [1, 2] }, flags });
    assert.deepEqual(client.getMulti(['a', 'b']).get('a')?.value, { b: [1, 2] });
    assert.deepEqual(
      client.servers.map((server) => server.connected),
      [false, true],
    );
    client.getServer = () => 2;
    assert.throws(() => client.get('a'), { code: 'ERR_INVALID_ARG' });
  }),
);

test(
  'the environment names the servers',
  withServers(1, (service) => {
    process.env.MEMCACHE_SERVERS = nameOf(service);
    try {
      using client = Client.create();
      assert.equal(client.servers[0]?.toString(), `<Server ${nameOf(service)}>`);
      assert.equal(client.set('a', 'b'), true);
    } finally {
      delete process.env.MEMCACHE_SERVERS;
    }
    const [first, second] = Client.create('u:p:q@[::1]:5,other').servers;
    assert.deepEqual([first?.host, first?.port, first?.name], ['::1', 5, '[::1]:5']);
    assert.deepEqual([second?.host, second?.port], ['other', 11211]);
  }),
);

test(
  'closed: commands on their way fail, later ones too; quit lets the first ones end',
  withServers(1, (service) => {
    const client = connect([service]);
    client.set('a', 'b');
    const one = spawn(() => client.get('a').value?.toString());
    const quitting = spawn(() => client.quit());
    assert.equal(one.get(), 'b');
    quitting.get();
    assert.throws(() => client.get('a'), { code: 'ERR_MEMCACHE_CLOSED' });
    const other = connect([service]);
    const two = spawn(() => other.get('a'));
    spawn(() => other.close());
    assert.throws(() => two.get(), { code: 'ERR_MEMCACHE_CLOSED' });
    other.close();
  }),
);

test('outside a greenlet nothing is sent and no place is lost', async () => {
  const client = Client.create('localhost:1', { maxPending: 1, retries: 0 });
  for (let i = 0; i < 3; i++) assert.throws(() => client.get('a'), { code: 'ERR_NOT_IN_GREENLET' });
  await run(() => assert.throws(() => client.get('a'), { code: 'ECONNREFUSED' }));
  client.close();
});
