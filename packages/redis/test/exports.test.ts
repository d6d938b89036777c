import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as tendril from '@tendril/redis';
import * as driver from 'redis';

const ours: Record<string, unknown> = { ...tendril };
const theirs: Record<string, unknown> = { ...driver };

/** node-redis's, in what programs import from it. */
const taken =
  /(Error|ErrorReply|_TYPES|_WITH|_MODES|_FILTERS|ClientSideCache)$|^(define|digest|Verb)/;

test('what programs take from node-redis beside its clients is here, and the same', () => {
  const names = Object.keys(theirs).filter((name) => taken.test(name));
  for (const name of ['ErrorReply', 'WatchError', 'MultiErrorReply', 'defineScript', 'RESP_TYPES'])
    assert.ok(names.includes(name), name);
  assert.ok(names.length > 20);
  for (const name of names) assert.equal(ours[name], theirs[name], name);
});

test('types by node-redis’s names are those of the clients here', () => {
  const client: tendril.RedisClientType = tendril.createClient();
  const pool: tendril.RedisClientPoolType = tendril.createClientPool();
  const value: () => string | null = () => client.get('key');
  assert.equal(client.isOpen || pool.isOpen, false);
  assert.throws(value, tendril.ClientClosedError);
});
