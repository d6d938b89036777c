import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AcquireTimeoutError,
  isExit,
  joinall,
  ResourcePool,
  sleep,
  spawn,
  Timeout,
} from '@tendril/core';
import { inGreenlet, leaveNothing } from './helpers.js';
import { things } from './things.js';

leaveNothing();

test(
  'what was used last is lent first; whoever waits longest is served first',
  inGreenlet(() => {
    const { pool, made } = things();
    const [a, b] = [pool.acquire(), pool.acquire()];
    const order: string[] = [];
    const waiting = ['x', 'y'].map((name) =>
      spawn(() => {
        const { id } = pool.acquire();
        order.push(`${name}${id}`);
      }),
    );
    sleep(0);
    assert.deepEqual(pool.statistics(), { size: 2, idle: 0, lent: 2, waiting: 2 });
    pool.release(b);
    pool.release(a);
    joinall(waiting);
    assert.equal(order.join(), 'x2,y1');
    assert.equal(made(), 2);
    pool.release(a);
    pool.release(b);
    assert.equal(pool.acquire(), b);
  }),
);

test(
  'one that came back broken, or with destroy, or dropped while idle is not lent again',
  inGreenlet(() => {
    const { pool, destroyed } = things();
    const a = pool.acquire();
    a.broken = true;
    pool.release(a);
    const b = pool.acquire();
    pool.release(b, { destroy: true });
    const c = pool.acquire();
    pool.release(c);
    pool.release(c);
    pool.drop(c);
    const d = pool.acquire();
    pool.release(d);
    d.broken = true;
    assert.equal(
      pool.use(({ id }) => id),
      5,
    );
    assert.deepEqual(destroyed, [1, 2, 3, 4]);
    assert.deepEqual(pool.statistics(), { size: 1, idle: 1, lent: 0, waiting: 0 });
    pool.close();
  }),
);

test(
  'waiting and creating together have a limit',
  inGreenlet((clock) => {
    const { pool } = things({ max: 1, connect: 60, acquireTimeout: 100 });
    const first = pool.acquire();
    const since = clock.now();
    assert.throws(() => pool.acquire(), AcquireTimeoutError);
    assert.equal(clock.now() - since, 100);
    spawn(() => {
      sleep(50);
      pool.release(first, { destroy: true });
    });
    // 50 ms for the place, 60 for another one.
    assert.throws(() => pool.acquire(), { code: 'ERR_ACQUIRE_TIMEOUT' });
    assert.equal(pool.acquire({ timeout: 61 }).id, 2);
  }),
);

test(
  'whoever dies while waiting or creating gives its place to the next',
  inGreenlet(() => {
    const { pool, made } = things({ max: 1, connect: 10 });
    const creating = spawn(() => pool.acquire());
    const waiting = spawn(() => pool.acquire());
    const next = spawn(() => pool.acquire().id);
    sleep(5);
    creating.kill();
    waiting.kill();
    assert.ok(isExit(creating.value) && isExit(waiting.value));
    assert.equal(next.get(), 1);
    assert.equal(made(), 1);
  }),
);

test(
  'one that is given in the turn in which its asker is killed goes to the next',
  inGreenlet(() => {
    const { pool, made } = things({ max: 1 });
    const first = pool.acquire();
    const [killed, next] = [spawn(() => pool.acquire()), spawn(() => pool.acquire())];
    sleep(0);
    pool.release(first);
    killed.kill({ block: false });
    assert.equal(next.get(), first);
    assert.ok(isExit(killed.value));
    assert.deepEqual([made(), pool.statistics().lent], [1, 1]);
  }),
);

test(
  'a creation that fails is the error of whoever asked, and costs no place',
  inGreenlet(() => {
    let fails = 3;
    const pool = new ResourcePool<object>({
      max: 1,
      create() {
        if (fails-- > 0) throw new Error('refused');
        return {};
      },
      destroy() {},
    });
    for (let i = 0; i < 3; i++) assert.throws(() => pool.acquire(), /refused/);
    assert.ok(pool.acquire());
  }),
);

test(
  'a timeout of the caller is the caller’s',
  inGreenlet(() => {
    const { pool } = things({ max: 1 });
    pool.acquire();
    using limit = Timeout.startNew(20);
    assert.throws(
      () => pool.acquire(),
      (error) => error === limit,
    );
    assert.equal(pool.statistics().waiting, 0);
  }),
);

test(
  'what nobody uses goes after a while',
  inGreenlet(() => {
    const { pool, destroyed } = things({ idleTimeout: 100 });
    const [a, b] = [pool.acquire(), pool.acquire()];
    pool.release(a);
    sleep(60);
    pool.release(b);
    sleep(50);
    assert.deepEqual(destroyed, [1]);
    sleep(60);
    assert.deepEqual(destroyed, [1, 2]);
    assert.equal(pool.statistics().size, 0);
  }),
);

test(
  'no more wait than may',
  inGreenlet(() => {
    const { pool } = things({ max: 1, maxWaiting: 1 });
    const held = pool.acquire();
    const waiting = spawn(() => pool.release(pool.acquire()));
    sleep(0);
    assert.throws(() => pool.acquire(), AcquireTimeoutError);
    pool.release(held);
    waiting.get();
    pool.close();
  }),
);

test(
  'close destroys what is idle, waits for what is lent, and turns away who waits',
  inGreenlet(() => {
    const { pool, destroyed } = things();
    const [a, b] = [pool.acquire(), pool.acquire()];
    const waiting = spawn(() => pool.acquire());
    sleep(0);
    pool.release(a);
    sleep(0);
    assert.equal(waiting.ready(), true);
    pool.release(waiting.get());
    const blocked = spawn(() => assert.throws(() => pool.acquire(), { code: 'ERR_POOL_CLOSED' }));
    pool.acquire();
    sleep(0);
    assert.equal(pool.close({ timeout: 10 }), false);
    blocked.get();
    pool.release(a);
    const closing = spawn(() => pool.close());
    sleep(10);
    assert.equal(closing.ready(), false);
    pool.release(b);
    assert.equal(closing.get(), true);
    assert.deepEqual(destroyed.sort(), [1, 2]);
    assert.throws(() => pool.acquire(), { code: 'ERR_POOL_CLOSED' });
  }),
);

test('arguments are checked', () => {
  const options = { create: () => ({}), destroy() {} };
  for (const wrong of [
    { max: 0 },
    { max: 1.5 },
    { acquireTimeout: -1 },
    { idleTimeout: Number.NaN },
  ])
    assert.throws(() => new ResourcePool({ ...options, ...wrong }), { code: 'ERR_INVALID_ARG' });
});
