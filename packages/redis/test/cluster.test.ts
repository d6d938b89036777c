import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { run, spawn } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import type { Client } from '@tendril/redis';
import { RESP_TYPES } from 'redis';
import { TestCluster } from './deployments.js';
import { until } from './helpers.js';

const bytes = { [RESP_TYPES.BLOB_STRING]: Buffer };
const prefixed = { keyPrefix: 'app:', commandOptions: { typeMapping: bytes } };

let servers: TestCluster;

before(() =>
  run(() => {
    servers = new TestCluster();
  }),
);
after(async () => {
  await run(() => servers.stop());
  await checkLeaks();
});

test('a cluster: keys on all nodes, blocking commands, multi, messages, a slot that moves', () =>
  run(() => {
    const { nodes } = servers;
    const cluster = servers.client();
    try {
      assert.throws(() => cluster.get('x'), /closed/);
      cluster.connect();
      const keys = Array.from({ length: 60 }, (_, i) => `key${i}`);
      const all = keys.map((key) => spawn(() => [cluster.set(key, key), cluster.get(key)]));
      for (const [i, each] of all.entries()) assert.deepEqual(each.get(), ['OK', keys[i]]);
      for (const node of nodes) assert.ok(node.dbSize() > 5, 'each node has some');
      assert.deepEqual(cluster.multi().incr('{a}1').incr('{a}1').exec(), [1, 2]);
      assert.equal(cluster.sendCommand('key1', true, ['GET', 'key1']), 'key1');

      const popping = keys.map((key) => spawn(() => cluster.blPop(`{${key}}list`, 0)));
      until(() => nodes.every((node) => node.info('clients').match(/blocked_clients:[1-9]/)));
      for (const each of popping.splice(30)) each.kill();
      for (const [i, each] of popping.entries()) {
        cluster.rPush(`{${keys[i]}}list`, `e${i}`);
        assert.equal(each.get()?.element, `e${i}`);
      }
      until(() => nodes.every((node) => node.info('clients').includes('blocked_clients:0')));

      using news = cluster.subscribe('news');
      using shard = cluster.sSubscribe('shard');
      cluster.publish('news', 'in');
      cluster.sPublish('shard', 'on');
      assert.equal(news.receive({ timeout: 2000 })?.message, 'in');
      assert.equal(shard.receive({ timeout: 2000 })?.message, 'on');

      const slot = String(nodes[0]?.clusterKeySlot('moved'));
      const target = nodes.find((node) => {
        try {
          return node.get('moved') !== null;
        } catch {
          return true; // not its slot
        }
      }) as Client;
      const id = String(target.sendCommand(['CLUSTER', 'MYID']));
      for (const node of [target, ...nodes])
        node.sendCommand(['CLUSTER', 'SETSLOT', slot, 'NODE', id]);
      const waiting = spawn(() => cluster.blPop('moved', 0));
      until(() => target.info('clients').includes('blocked_clients:1'));
      target.rPush('moved', 'here');
      assert.equal(waiting.get()?.element, 'here');
    } finally {
      cluster.close();
    }
  }));

test('in a cluster commands that block have its options, and go to where their slot is', () =>
  run(() => {
    const cluster = servers.client(prefixed).connect();
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
    }
  }));
