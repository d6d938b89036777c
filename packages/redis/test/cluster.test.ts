import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { run, spawn } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import type { Client } from '@tendril/redis';
import { TestCluster } from './deployments.js';
import { until } from './helpers.js';

after(() => checkLeaks());

test('a cluster: keys on all nodes, blocking commands, multi, messages, a slot that moves', () =>
  run(() => {
    const servers = new TestCluster();
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
      servers.stop();
    }
  }));
