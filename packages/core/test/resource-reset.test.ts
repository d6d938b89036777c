// How a ResourcePool makes what comes back fit to be lent again.
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { test } from 'node:test';
import { getCurrent, ResourcePool, sleep, spawn } from '@tendril/core';
import { inGreenlet, leaveNothing } from './helpers.js';

leaveNothing();

interface Thing {
  id: number;
  dirty: boolean;
}

function washed(
  reset: (thing: Thing) => void,
  options: { max?: number; resetTimeout?: number } = {},
) {
  let made = 0;
  const destroyed: number[] = [];
  const pool = new ResourcePool<Thing>({
    max: 1,
    ...options,
    create: () => ({ id: ++made, dirty: false }),
    destroy: ({ id }) => void destroyed.push(id),
    needsReset: ({ dirty }) => dirty,
    reset,
  });
  return { pool, destroyed };
}

const wash = (thing: Thing) => {
  sleep(50);
  thing.dirty = false;
};

test(
  'what needs it is reset, counts as lent meanwhile, and goes to who waits longest',
  inGreenlet((clock) => {
    const { pool, destroyed } = washed(wash);
    const thing = pool.acquire();
    pool.release(thing);
    assert.deepEqual(pool.statistics(), { size: 1, idle: 1, lent: 0, waiting: 0 });
    assert.equal(pool.acquire(), thing);
    thing.dirty = true;
    const since = clock.now();
    pool.release(thing);
    pool.release(thing);
    assert.deepEqual(pool.statistics(), { size: 1, idle: 0, lent: 1, waiting: 0 });
    assert.deepEqual(pool.lent(), [thing]);
    assert.equal(pool.acquire(), thing);
    assert.equal(clock.now() - since, 50);
    assert.equal(thing.dirty, false);
    assert.deepEqual([pool.lent(), destroyed], [[thing], []]);
    pool.release(thing);
    pool.close();
  }),
);

test(
  'one whose reset fails, is killed or takes too long is destroyed, and the next is made',
  inGreenlet((clock) => {
    const ways: (() => void)[] = [
      () => {
        throw new Error('stained');
      },
      () => sleep(Number.POSITIVE_INFINITY),
    ];
    for (const way of ways) {
      const { pool, destroyed } = washed(way, { resetTimeout: 200 });
      const thing = pool.acquire();
      thing.dirty = true;
      const since = clock.now();
      pool.release(thing);
      assert.equal(pool.acquire().id, 2);
      assert.ok(clock.now() - since <= 200);
      assert.deepEqual(destroyed, [1]);
    }
  }),
);

test(
  'destroy resets nothing; close waits for a reset, and destroys then',
  inGreenlet((clock) => {
    const { pool, destroyed } = washed(wash, { max: 2 });
    const [a, b] = [pool.acquire(), pool.acquire()];
    a.dirty = b.dirty = true;
    pool.release(a, { destroy: true });
    assert.deepEqual(destroyed, [1]);
    const since = clock.now();
    pool.release(b);
    assert.equal(pool.close({ timeout: 10 }), false);
    assert.equal(pool.close(), true);
    assert.equal(clock.now() - since, 50);
    assert.deepEqual(destroyed, [1, 2]);
  }),
);

test(
  'a kill of who gave it back does not touch its reset',
  inGreenlet(() => {
    const { pool } = washed(wash);
    const user = spawn(() => {
      const thing = pool.acquire();
      thing.dirty = true;
      try {
        sleep(1000);
      } finally {
        pool.release(thing);
      }
    });
    sleep(0);
    user.kill();
    assert.equal(pool.acquire().dirty, false);
  }),
);

test(
  'what is made, reset and destroyed is nobody’s: no context of who asks, and no greenlet that spawned it',
  inGreenlet(() => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const look = () => void seen.push(storage.getStore(), getCurrent()?.spawningGreenlet);
    const pool = new ResourcePool<object>({
      max: 1,
      create() {
        look();
        sleep(1);
        look();
        return {};
      },
      destroy() {},
      needsReset: () => true,
      reset() {
        look();
        sleep(1);
        look();
      },
    });
    storage.run('tenant', () => {
      for (let i = 0; i < 2; i++) pool.use(() => assert.equal(storage.getStore(), 'tenant'));
      assert.equal(storage.getStore(), 'tenant');
    });
    pool.close();
    assert.deepEqual([...new Set(seen)], [undefined]);
    assert.equal(seen.length, 12);
  }),
);
