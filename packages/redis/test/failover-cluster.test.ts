import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { joinall, run, sleep, spawn, Timeout } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import type { OfflineError } from '@tendril/redis';
import { Asker, failInTime, failure } from './asker.js';
import { TestCluster } from './deployments.js';
import { until } from './helpers.js';

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
      joinall(timed, { timeout: 2000 });
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
      assert.equal(popping.get({ timeout: 1000 })?.code, 'ERR_REDIS_CONNECTION_LOST');
      const next = spawn(() => cluster.blPop(list, 0));
      until(blocked(replica, 1));
      assert.equal(cluster.statistics().length, 1, 'those of the server that has gone are closed');
      cluster.rPush(list, 'x');
      assert.equal(next.get()?.element, 'x');
    } finally {
      cluster.close();
    }
  }));
