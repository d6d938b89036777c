// How a ResourcePool makes what it lends, whatever becomes of those who ask.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcquireTimeoutError, ResourcePool, sleep, spawn } from '@tendril/core';
import { inGreenlet, leaveNothing } from './helpers.js';
import { things } from './things.js';

leaveNothing();

test(
  'who has less time than making takes leaves it to the next, or to nobody',
  inGreenlet(() => {
    const { pool, made } = things({ max: 1, connect: 50 });
    for (let n = 0; n < 4; n++) {
      assert.throws(() => pool.acquire({ timeout: 10 }), AcquireTimeoutError);
      assert.deepEqual(pool.statistics(), { size: 1, idle: 0, lent: 0, waiting: 0 });
    }
    assert.equal(pool.acquire({ timeout: 11 }).id, 1);
    const other = things({ connect: 50 });
    assert.throws(() => other.pool.acquire({ timeout: 10 }), AcquireTimeoutError);
    sleep(41);
    assert.deepEqual(other.pool.statistics(), { size: 1, idle: 1, lent: 0, waiting: 0 });
    assert.equal(made() + other.made(), 2);
    other.pool.close();
  }),
);

test(
  'one that comes back goes to who waits for another to be made; that one is the next one’s',
  inGreenlet(() => {
    const { pool, made } = things({ max: 2, connect: 50 });
    const first = pool.acquire();
    const [second, third] = [spawn(() => pool.acquire()), spawn(() => pool.acquire())];
    sleep(10);
    assert.deepEqual(pool.statistics(), { size: 2, idle: 0, lent: 1, waiting: 1 });
    pool.release(first);
    assert.equal(second.get(), first);
    assert.equal(third.get().id, 2);
    assert.equal(made(), 2);
  }),
);

test(
  'an error of making is that of who waits longest, and the others go on',
  inGreenlet(() => {
    const errors = [new Error('first'), undefined, new Error('third')];
    const pool = new ResourcePool<object>({
      max: 1,
      create() {
        sleep(10);
        const error = errors.shift();
        if (error) throw error;
        return {};
      },
      destroy() {},
    });
    const gone = spawn(() => pool.acquire());
    const result = (work: () => unknown) => {
      try {
        work();
        return 'lent';
      } catch (error) {
        return (error as Error).message;
      }
    };
    const all = [1, 2, 3].map(() =>
      spawn(() => result(() => pool.release(pool.acquire(), { destroy: true }))),
    );
    sleep(5);
    gone.kill();
    assert.deepEqual(
      all.map((each) => each.get()),
      ['first', 'lent', 'third'],
    );
    assert.deepEqual(pool.statistics(), { size: 0, idle: 0, lent: 0, waiting: 0 });
  }),
);

test(
  'what is made for ever is given up, and made anew for who still waits',
  inGreenlet((clock) => {
    let hangs = true;
    const pool = new ResourcePool<object>({
      max: 1,
      acquireTimeout: 10,
      create() {
        if (hangs) sleep(Number.POSITIVE_INFINITY);
        return {};
      },
      destroy() {},
    });
    const since = clock.now();
    const patient = spawn(() => pool.acquire({ timeout: 100_000 }));
    sleep(20_000);
    hangs = false;
    assert.throws(() => pool.acquire(), AcquireTimeoutError);
    patient.get();
    assert.equal(clock.now() - since, 30_000);
  }),
);

test(
  'close stops what is being made, begun or not, and waits until it has stopped',
  inGreenlet(() => {
    for (const before of [0, 5]) {
      let stopped = 0;
      const pool = new ResourcePool<object>({
        create() {
          try {
            sleep(1000);
          } finally {
            sleep(3);
            stopped++;
          }
          return {};
        },
        destroy: () => assert.fail('none was made'),
      });
      const closed = { code: 'ERR_POOL_CLOSED' };
      const asker = spawn(() => assert.throws(() => pool.acquire(), closed));
      sleep(before);
      assert.equal(pool.close({ timeout: 10 }), true);
      assert.equal(stopped, before ? 1 : 0);
      asker.get();
      assert.equal(pool.statistics().size, 0);
    }
  }),
);
