/** Whose AsyncLocalStorage: connections belong to nobody, what is iterated to who iterates. */
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { test } from 'node:test';
import { openGate } from '@tendril/adapter-suite';
import { run, spawn, wait } from '@tendril/core';
import { createClient, createClientPool } from '@tendril/redis';
import { failure } from './asker.js';
import { TestCluster } from './deployments.js';
import { address, password, redisTest, until, useServer } from './helpers.js';

useServer();
const tenant = new AsyncLocalStorage<object>();

/** What user code that connections call finds, and options with it. */
function observed({ host, port } = address()) {
  const seen: unknown[] = [];
  const note = () => {
    seen.push(tenant.getStore());
  };
  const credentials = async () => {
    note();
    return { username: 'default', password };
  };
  const reconnectStrategy = () => {
    note();
    return 5;
  };
  return {
    seen,
    note,
    options: {
      credentialsProvider: { type: 'async-credentials-provider' as const, credentials },
      socket: { host, port, reconnectStrategy },
    },
  };
}

redisTest('connections that are made on somebody’s call have none of it', () => {
  const gate = wait(openGate(address()));
  const { seen, note, options } = observed(gate);
  const client = createClient(options);
  const pool = createClientPool(options, { minimum: 0 });
  tenant.run({ who: 'a' }, () => {
    client.on('error', note).on('ready', note);
    client.connect();
    pool.connect();
    client.get('k');
    pool.get('k');
    client.execute((session) => session.get('k'));
    assert.equal(client.blPop('none', 0.01), null);
    assert.equal(spawn(() => tenant.getStore() as { who?: string }).get()?.who, 'a');
  });
  const subscription = tenant.run({ who: 'b' }, () => client.subscribe('news'));
  const before = seen.length;
  gate.cut();
  tenant.run({ who: 'c' }, () => {
    until(() => seen.length > before && !failure(() => client.get('k')));
    until(() => !failure(() => pool.get('k')));
    client.publish('news', 'x');
  });
  assert.ok(seen.length > 8, `${seen.length}`);
  assert.deepEqual(
    seen.filter((each) => each !== undefined),
    [],
  );
  subscription.close();
  client.close();
  pool.close();
  wait(gate.close());
});

redisTest('whoever iterates a subscription does it in its own', (client) => {
  const mine = { who: 'me' };
  const subscription = tenant.run({ who: 'other' }, () => client.subscribe('news'));
  const reading = tenant.run(mine, () =>
    spawn(() => {
      for (const { message } of subscription) if (message === 'end') break;
      return tenant.getStore();
    }),
  );
  tenant.run({ who: 'publisher' }, () => {
    client.publish('news', 'x');
    client.publish('news', 'end');
  });
  assert.equal(reading.get(), mine);
});

test('nodes of a cluster, each connected for its first command', () =>
  run(() => {
    const servers = new TestCluster();
    const { seen, options } = observed();
    const { credentialsProvider, socket } = options;
    const { reconnectStrategy } = socket;
    const cluster = servers.client({
      defaults: { credentialsProvider, socket: { reconnectStrategy } },
    });
    try {
      tenant.run({ who: 'a' }, () => {
        cluster.connect();
        for (const i of [0, 1, 2]) {
          cluster.set(servers.keyOf(i), 'v');
          assert.equal(cluster.blPop(`{${servers.keyOf(i)}}`, 0.01), null);
        }
        cluster.subscribe('news').close();
      });
      assert.ok(seen.length >= 8, `${seen.length}`);
      assert.deepEqual(
        seen.filter((each) => each !== undefined),
        [],
      );
    } finally {
      cluster.close();
      servers.stop();
    }
  }));
