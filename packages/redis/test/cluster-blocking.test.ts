import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { run, spawn } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import { RESP_TYPES } from 'redis';
import { TestCluster, TestSentinel } from './deployments.js';
import { until } from './helpers.js';

after(() => checkLeaks());

const bytes = { [RESP_TYPES.BLOB_STRING]: Buffer };
const options = { keyPrefix: 'app:', commandOptions: { typeMapping: bytes } };

test('in a cluster commands that block have its options, and go to where their slot is', () =>
  run(() => {
    const servers = new TestCluster();
    const cluster = servers.client(options).connect();
    const plain = servers.client().connect();
    try {
      for (const [i, key] of ['k0', 'k1', 'k2', 'k3', 'k4', 'k5'].entries()) {
        cluster.rPush(key, String(i));
        assert.deepEqual(cluster.blPop(key, 0), {
          key: Buffer.from(`app:${key}`),
          element: Buffer.from(String(i)),
        });
      }
      const strings = cluster.withTypeMapping({});
      cluster.rPush('k0', 'x');
      assert.deepEqual(strings.blPop('k0', 0), { key: 'app:k0', element: 'x' });
      assert.deepEqual(cluster.multi().rPush('k0', 'y').lPop('k0').execAsPipeline(), [
        1,
        Buffer.from('y'),
      ]);
      const popping = spawn(() => cluster.blPop('killed', 0));
      until(() => cluster.statistics().some(({ lent }) => lent > 0));
      popping.kill();
      plain.rPush('app:killed', 'kept');
      until(() => cluster.statistics().every(({ lent }) => lent === 0));
      assert.deepEqual(plain.lRange('app:killed', 0, -1), ['kept']);

      // A slot on its way: where it was says ASK, and where it goes to wants to be asked for it.
      const key = servers.keyOf(0);
      const slot = String(servers.nodes[0]?.clusterKeySlot(key));
      const [from, to] = [servers.id(0), servers.id(1)];
      servers.nodes[1]?.sendCommand(['CLUSTER', 'SETSLOT', slot, 'IMPORTING', from]);
      servers.nodes[0]?.sendCommand(['CLUSTER', 'SETSLOT', slot, 'MIGRATING', to]);
      const there = () => servers.nodes[1]?.info('clients').includes('blocked_clients:1') ?? false;
      const waiting = spawn(() => plain.blPop(key, 0));
      until(there);
      plain.rPush(key, 'asked');
      assert.equal(waiting.get()?.element, 'asked');
      const next = spawn(() => plain.blPop(key, 0));
      until(there);
      for (const node of [1, 0, 2])
        servers.nodes[node]?.sendCommand(['CLUSTER', 'SETSLOT', slot, 'NODE', to]);
      plain.rPush(key, 'moved');
      assert.equal(next.get()?.element, 'moved');
    } finally {
      cluster.close();
      plain.close();
      servers.stop();
    }
  }));

test('with sentinels commands that block have the options of the others', () =>
  run(() => {
    const servers = new TestSentinel();
    const sentinel = servers.client({ ...options, RESP: 2 }).connect();
    try {
      sentinel.rPush('list', 'x');
      const popped = { key: Buffer.from('app:list'), element: Buffer.from('x') };
      assert.deepEqual(sentinel.blPop('list', 0), popped);
      sentinel.zAdd('set', { value: 'one', score: 1 });
      assert.deepEqual(sentinel.withTypeMapping({}).bzPopMin('set', 0), {
        key: 'app:set',
        value: 'one',
        score: 1,
      });
      assert.deepEqual(sentinel.multi().set('k', 'v').get('k').execAsPipeline(), [
        'OK',
        Buffer.from('v'),
      ]);
      assert.deepEqual(sentinel.withTypeMapping({}).get('k'), 'v');
    } finally {
      sentinel.close();
      servers.stop();
    }
  }));
