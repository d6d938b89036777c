import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { run, spawn } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import type { Sentinel } from '@tendril/redis';
import { RESP_TYPES } from 'redis';
import { TestSentinel } from './deployments.js';
import { until } from './helpers.js';

const bytes = { [RESP_TYPES.BLOB_STRING]: Buffer };
const prefixed = { keyPrefix: 'app:', commandOptions: { typeMapping: bytes } };

let servers: TestSentinel;

before(() =>
  run(() => {
    servers = new TestSentinel();
  }),
);
after(async () => {
  await run(() => servers.stop());
  await checkLeaks();
});

/** Clients of the master that wait in a command. */
function blocked(sentinel: Sentinel): number {
  const info = String(sentinel.sendCommand(false, ['INFO', 'clients']));
  return Number(/blocked_clients:(\d+)/.exec(info)?.[1]);
}

test('sentinels: commands and blocking ones go to the master', () =>
  run(() => {
    const sentinel = servers.client();
    try {
      sentinel.connect();
      assert.equal(sentinel.set('key', 'value'), 'OK');
      assert.equal(sentinel.get('key'), 'value');
      assert.deepEqual(sentinel.multi().incr('n').incr('n').exec(), [1, 2]);
      const popping = Array.from({ length: 5 }, () => spawn(() => sentinel.blPop('list', 0)));
      until(() => blocked(sentinel) === 5);
      assert.equal(sentinel.get('key'), 'value', 'nobody is stopped');
      popping.pop()?.kill();
      until(() => blocked(sentinel) === 4);
      // All before the first is waited for: the server serves them in the order in which their
      // connections came, which need not be that of their greenlets.
      sentinel.rPush('list', ['0', '1', '2', '3']);
      const elements = popping.map((each) => each.get()?.element);
      assert.deepEqual(elements.sort(), ['0', '1', '2', '3']);
      using messages = sentinel.subscribe('channel');
      sentinel.publish('channel', 'm');
      assert.equal(messages.receive({ timeout: 60_000 })?.message, 'm');
    } finally {
      sentinel.close();
    }
  }));

test('with sentinels commands that block have the options of the others', () =>
  run(() => {
    const sentinel = servers.client({ ...prefixed, RESP: 2 }).connect();
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
    }
  }));
