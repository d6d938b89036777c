import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { joinall, run, sleep, spawn, Timeout } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import type { OfflineError } from '@tendril/redis';
import { Asker, failure, slack } from './asker.js';
import { TestCluster } from './deployments.js';
import { until } from './helpers.js';

after(() => checkLeaks());

test('a cluster whose node is gone: commands wait within limits, and none is sent afterwards', () =>
  run(() => {
    const servers = new TestCluster();
    const timeout = 400;
    const cluster = servers.client({ commandOptions: { timeout } }).connect();
    const [key, other] = [servers.keyOf(0), servers.keyOf(1)];
    try {
      // Otherwise the others would serve nothing while it is away.
      for (const node of servers.nodes) node.configSet('cluster-require-full-coverage', 'no');
      assert.equal(cluster.incr(key), 1);
      cluster.incr(other);
      servers.services[0]?.kill();
      until(() => !servers.nodes[0]?.isReady);
      const lost = { code: 'ERR_REDIS_OFFLINE' };
      const ask = [
        () => cluster.incr(key),
        () => cluster.multi().incr(key).exec(),
        () => cluster.multi().incr(key).execAsPipeline(),
        () => cluster.sendCommand(key, false, ['INCR', key]),
        () => cluster.blPop(`{${key}}list`, 0),
        () => cluster.mSet([[key, '7']]),
      ];
      for (const [i, each] of ask.entries()) {
        const since = performance.now();
        // What was on its way when the connection broke fails with it; so may the first.
        assert.throws(each, i === 0 ? Error : lost);
        assert.ok(performance.now() - since < timeout + slack);
      }
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
      servers.services[0]?.start();
      const info = () => String(servers.nodes[0]?.sendCommand(['CLUSTER', 'INFO']));
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
      cluster.close();
      servers.stop();
    }
  }));

test('a cluster fails over: answers or errors in time, nothing counted twice or lost', () =>
  run(() => {
    const servers = new TestCluster(1);
    const cluster = servers.client().connect();
    const key = servers.keyOf(0);
    try {
      const asker = new Asker(key, (args) => cluster.sendCommand(key, false, args));
      const popping = spawn(() => failure(() => cluster.blPop(`{${key}}list`, 0)));
      const blocked = (node: number, count: number) => () =>
        servers.nodes[node]?.info('clients').includes(`blocked_clients:${count}`) ?? false;
      until(blocked(0, 1));
      asker.untilAnswers(50);
      servers.services[0]?.kill();
      asker.untilAnswers(50);
      asker.stop(() => cluster.get(key));
      assert.equal(popping.get({ timeout: 1000 })?.code, 'ERR_REDIS_CONNECTION_LOST');
      const next = spawn(() => cluster.blPop(`{${key}}list`, 0));
      until(blocked(3, 1));
      assert.equal(cluster.statistics().length, 1, 'those of the server that has gone are closed');
      cluster.rPush(`{${key}}list`, 'x');
      assert.equal(next.get()?.element, 'x');
    } finally {
      cluster.close();
      servers.stop();
    }
  }));
