/** A connection is everybody's: it has nobody's AsyncLocalStorage context. */
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { test } from 'node:test';
import { spawn } from '@tendril/core';
import { connect, until, withServers } from './helpers.js';

test(
  'what the first caller had in its context is not held as long as the connection, nor shown to others',
  withServers(1, (service) => {
    const storage = new AsyncLocalStorage<object>();
    using client = connect([service]);
    const seen: unknown[] = [];
    const ask = (store: object) =>
      storage.run(store, () => {
        client.set('a', 'b');
        seen.push(storage.getStore() === store);
      });
    const first = (() => {
      const store = { tenant: 'first' };
      spawn(ask, store).get();
      return new WeakRef(store);
    })();
    spawn(ask, { tenant: 'second' }).get();
    assert.deepEqual(seen, [true, true]);
    until('it is collected', () => {
      (globalThis as unknown as { gc(): void }).gc();
      return first.deref() === undefined;
    });
    assert.equal(client.servers[0]?.connected, true);
  }),
);
