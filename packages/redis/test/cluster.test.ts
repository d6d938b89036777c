import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { joinall, run, sleep, spawn, Timeout } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import type { Client, OfflineError } from '@tendril/redis';
import { RESP_TYPES } from 'redis';
import { Asker, failInTime, failure } from './asker.js';
import { TestCluster } from './deployments.js';
import { until } from './helpers.js';

const bytes = { [RESP_TYPES.BLOB_STRING]: Buffer };
const prefixed = { keyPrefix: 'app:', commandOptions: { typeMapping: bytes } };

let servers: TestCluster;

before(() =>
  run(() => {
    servers = new TestCluster(1);
  }),
);
after(async () => {
  await run(() => servers.stop());
  await checkLeaks();
});

test('a cluster: keys on all nodes, blocking commands, multi, messages, a slot that moves', () =>
  run(() => {
    const nodes = servers.nodes.slice(0, 3);
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
      assert.equal(news.receive({ timeout: 60_000 })?.message, 'in');
      assert.equal(shard.receive({ timeout: 60_000 })?.message, 'on');

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
      const key = servers.keyOf(2);
      const slot = String(servers.nodes[2]?.clusterKeySlot(key));
      const [from, to] = [servers.id(2), servers.id(1)];
      servers.nodes[1]?.sendCommand(['CLUSTER', 'SETSLOT', slot, 'IMPORTING', from]);
      servers.nodes[2]?.sendCommand(['CLUSTER', 'SETSLOT', slot, 'MIGRATING', to]);
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

/** A master without a replica, one that has one, and the replica. */
const [alone, doubled, replica] = [1, 0, 3];

test('a cluster whose node is gone: commands wait within limits, and none is sent afterwards', () =>
  run(() => {
    const timeout = 400;
    const cluster = servers.client({ commandOptions: { timeout } }).connect();
    const others = servers.nodes.filter((_, i) => i !== alone);
    const [key, other] = [servers.keyOf(alone), servers.keyOf(doubled)];
    try {
      // Otherwise the others would serve nothing while it is away.
      for (const node of others) node.configSet('cluster-require-full-coverage', 'no');
      assert.equal(cluster.incr(key), 1);
      cluster.incr(other);
      servers.services[alone]?.kill();
      until(() => !servers.nodes[alone]?.isReady);
      const lost = { code: 'ERR_REDIS_OFFLINE' };
      const ask = [
        () => cluster.incr(key),
        () => cluster.multi().incr(key).exec(),
        () => cluster.multi().incr(key).execAsPipeline(),
        () => cluster.sendCommand(key, false, ['INCR', key]),
        () => cluster.blPop(`{${key}}list`, 0),
        () => cluster.mSet([[key, '7']]),
      ];
      failInTime(ask, timeout);
      assert.throws(() => cluster.dbSize(), { code: 'ERR_REDIS_PARTLY_SENT' });
      assert.equal(cluster.incr(other), 2, 'the others are served');
      const fresh = servers.client({ commandOptions: { timeout } }).connect();
      assert.equal(fresh.incr(other), 3, 'by new clients, too');
      assert.throws(() => fresh.incr(key), lost);
      const killed = [cluster, fresh].map((each) => spawn(() => each.incr(key)));
      const timed = [cluster, fresh].map((each) =>
        spawn(() => {
          using _limit = Timeout.startNew(50);
          return each.incr(key);
        }),
      );
      sleep(0);
      for (const each of killed) each.kill();
      joinall(timed, { timeout: 60_000 });
      for (const each of timed) assert.ok(each.exception instanceof Timeout);
      servers.services[alone]?.start();
      const info = () => String(servers.nodes[alone]?.sendCommand(['CLUSTER', 'INFO']));
      until(() => info().includes('cluster_state:ok'));
      // Its memory is new: whatever was sent after it had been given up would have been counted.
      let count: number | undefined;
      while (count === undefined) {
        try {
          count = cluster.incr(key);
        } catch (error) {
          assert.equal((error as OfflineError).code, 'ERR_REDIS_OFFLINE');
        }
      }
      assert.equal(count, 1);
      assert.equal(fresh.incr(key), 2);
      fresh.close();
    } finally {
      for (const node of others) node.configSet('cluster-require-full-coverage', 'yes');
      cluster.close();
    }
  }));

test('a cluster fails over: answers or errors in time, nothing counted twice or lost', () =>
  run(() => {
    const cluster = servers.client().connect();
    const tag = servers.keyOf(doubled);
    const [key, list] = [`{${tag}}count`, `{${tag}}list`];
    try {
      const asker = new Asker(key, (args) => cluster.sendCommand(key, false, args));
      const popping = spawn(() => failure(() => cluster.blPop(list, 0)));
      const blocked = (node: number, count: number) => () =>
        servers.nodes[node]?.info('clients').includes(`blocked_clients:${count}`) ?? false;
      until(blocked(doubled, 1));
      asker.untilAnswers(50);
      servers.services[doubled]?.kill();
      asker.untilAnswers(50);
      asker.stop(() => cluster.get(key));
      assert.equal(popping.get({ timeout: 60_000 })?.code, 'ERR_REDIS_CONNECTION_LOST');
      const next = spawn(() => cluster.blPop(list, 0));
      until(blocked(replica, 1));
      assert.equal(cluster.statistics().length, 1, 'those of the server that has gone are closed');
      cluster.rPush(list, 'x');
      assert.equal(next.get()?.element, 'x');
    } finally {
      cluster.close();
    }
  }));
