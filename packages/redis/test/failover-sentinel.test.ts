import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { run, sleep, spawn, Timeout, withTimeout } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import { createClient } from '@tendril/redis';
import { Asker, failInTime, failure } from './asker.js';
import { TestSentinel } from './deployments.js';
import { clientOf, until } from './helpers.js';

after(() => checkLeaks());

test('sentinels fail over: answers or errors in time, nothing sent twice', () =>
  run(() => {
    const servers = new TestSentinel(1);
    const sentinel = servers.client().connect();
    const [master, replica] = servers.servers;
    assert.ok(master && replica);
    try {
      const asker = new Asker('count', (args) => sentinel.sendCommand(false, args));
      const popping = spawn(() => failure(() => sentinel.blPop('list', 0)));
      until(() => sentinel.statistics()[0]?.lent === 1);
      asker.untilAnswers(50);
      master.kill();
      asker.untilAnswers(50);
      asker.stop(() => sentinel.get('count'));
      assert.equal(popping.get({ timeout: 60_000 })?.code, 'ERR_REDIS_CONNECTION_LOST');
      assert.deepEqual(sentinel.multi().set('key', 'value').get('key').exec(), ['OK', 'value']);
      const next = spawn(() => sentinel.blPop('list', 0));
      until(() => sentinel.statistics()[0]?.lent === 1);
      assert.equal(sentinel.statistics().length, 1, 'those of the server that has gone are closed');
      const direct = clientOf({}, replica);
      assert.equal(direct.get('key'), 'value', 'it is the master now');
      direct.rPush('list', 'x');
      direct.close();
      assert.equal(next.get()?.element, 'x');
    } finally {
      sentinel.close();
      servers.stop();
    }
  }));

test('a master that is gone for good: commands fail in time, and are never sent afterwards', () =>
  run(() => {
    const servers = new TestSentinel();
    const timeout = 400;
    const sentinel = servers.client({ commandOptions: { timeout } }).connect();
    const [master] = servers.servers;
    assert.ok(master);
    try {
      assert.equal(sentinel.incr('count'), 1);
      master.kill();
      const ask = [
        () => sentinel.incr('count'),
        () => sentinel.multi().incr('count').exec(),
        () => sentinel.multi().incr('count').execAsPipeline(),
        () => sentinel.sendCommand(false, ['INCR', 'count']),
        () => sentinel.blPop('list', 0),
      ];
      failInTime(ask, timeout);
      const killed = spawn(() => sentinel.incr('count'));
      assert.throws(() => {
        using _limit = Timeout.startNew(50);
        sentinel.incr('count');
      }, Timeout);
      killed.kill();
      master.start();
      let count: number | undefined;
      while (count === undefined) {
        try {
          count = sentinel.incr('count');
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'ERR_REDIS_OFFLINE');
        }
      }
      assert.equal(count, 1, 'its memory is new, and nothing was sent late');
    } finally {
      sentinel.close();
      servers.stop();
    }
  }));

test('the roles change again and again: nothing is left of earlier masters', (t) => {
  if (!process.env.TENDRIL_TEST_LONG) return t.skip('long: TENDRIL_TEST_LONG=1');
  return run(() => {
    const servers = new TestSentinel(1);
    const sentinel = servers.client().connect();
    const direct = createClient({ socket: { host: '127.0.0.1', port: servers.port } }).connect();
    const asked = () => String(direct.sendCommand(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main']));
    try {
      const asker = new Asker('count', (args) => sentinel.sendCommand(false, args));
      for (let round = 0; round < 3; round++) {
        const popping = spawn(() => failure(() => sentinel.blPop('list', 0)));
        until(() => sentinel.statistics().some(({ lent }) => lent === 1));
        const before = asked();
        withTimeout(60_000, () => {
          // It refuses until the last one is over, and the other server is known as a replica.
          while (failure(() => direct.sendCommand(['SENTINEL', 'FAILOVER', 'main']))) sleep(200);
          while (asked() === before) sleep(20);
        });
        asker.untilAnswers(200);
        assert.ok(popping.get({ timeout: 60_000 })?.code, 'the connection is gone');
        assert.ok(sentinel.statistics().length <= 1);
      }
      asker.stop(() => sentinel.get('count'));
    } finally {
      direct.close();
      sentinel.close();
      servers.stop();
    }
  });
});
