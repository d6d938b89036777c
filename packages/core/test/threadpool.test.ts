import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, describe, test } from 'node:test';
import { InvalidArgumentError, SocketClosedError, sleep, spawn, Timeout } from '@tendril/core';
import { ThreadPool } from '@tendril/core/threadpool';
import { leaveNothing } from './helpers.js';
import { inRealTime, until } from './io-helpers.js';

const pool = new ThreadPool(2, { idleTimeout: 60_000 });
after(() => pool.kill());
leaveNothing();

const work = new URL('../test/scripts/thread-work.mjs', import.meta.url);
const forever = () => {
  for (;;);
};
/** Says that it has begun, too. */
const begunForever = (begun: Int32Array) => {
  Atomics.store(begun, 0, 1);
  for (;;);
};
const shared = () => new Int32Array(new SharedArrayBuffer(4));

describe('ThreadPool', () => {
  test(
    'runs functions and exports of modules in other threads; this one goes on',
    inRealTime(() => {
      const beats = shared();
      const beating = spawn(() => {
        for (;;) {
          sleep(1);
          Atomics.add(beats, 0, 1);
        }
      });
      // It ends because the others go on meanwhile.
      const busy = (beats: Int32Array) => {
        while (Atomics.load(beats, 0) < 5);
        return 'done';
      };
      assert.equal(pool.apply(busy, [beats]), 'done');
      beating.kill();
      assert.equal(pool.apply({ module: work, export: 'double' }, [21]), 42);
      assert.notEqual(pool.apply({ module: work.pathname, export: 'whereAmI' }), 0);
      assert.equal(
        pool.apply(async (n: number) => n + 1, [1]),
        2,
      );
    }),
  );

  test(
    'map keeps the order; applyAsync gives a greenlet',
    inRealTime(() => {
      assert.deepEqual(
        pool.map((n) => n * n, [1, 2, 3, 4, 5]),
        [1, 4, 9, 16, 25],
      );
      assert.equal(pool.applyAsync((a: number, b: number) => a + b, [1, 2]).get(), 3);
      assert.ok(pool.threads <= 2);
    }),
  );

  test(
    'errors come back as they were',
    inRealTime(() => {
      assert.throws(
        () =>
          pool.apply(() => {
            throw Object.assign(new RangeError('too far'), { code: 'E_FAR' });
          }),
        (error: Error & { code?: string }) =>
          error instanceof RangeError && error.message === 'too far' && error.code === 'E_FAR',
      );
      const outside = 1;
      assert.throws(() => pool.apply(() => outside), { code: 'ERR_THREADPOOL_NOT_SELF_CONTAINED' });
      assert.throws(() => pool.apply((f: unknown) => f, [() => 1]), {
        code: 'ERR_THREADPOOL_CLONE',
      });
      assert.throws(() => pool.apply(Math.max), InvalidArgumentError);
      assert.throws(() => pool.apply(forever.bind(1)), InvalidArgumentError);
      assert.throws(() => pool.apply({} as never), InvalidArgumentError);
      assert.throws(() => new ThreadPool(0), InvalidArgumentError);
      assert.throws(() => pool.apply({ module: work, export: 'none' }), {
        code: 'ERR_THREADPOOL_NO_EXPORT',
      });
      assert.throws(
        () =>
          pool.map(
            (n) => {
              if (n === 2) throw new TypeError('two');
              return n;
            },
            [1, 2, 3],
          ),
        TypeError,
      );
    }),
  );

  test(
    'memory of results is handed over',
    inRealTime(() => {
      const bytes = pool.apply(() => new Uint8Array(1_000_000).fill(7));
      assert.equal(bytes.length, 1_000_000);
      assert.equal(bytes[999_999], 7);
      assert.equal(pool.apply(() => new ArrayBuffer(8)).byteLength, 8);
    }),
  );

  test(
    'a kill and a timeout end work that never ends',
    inRealTime(() => {
      const begun = shared();
      const running = pool.applyAsync(begunForever, [begun]);
      until(() => Atomics.load(begun, 0) === 1);
      running.kill();
      assert.ok(running.dead);
      assert.throws(() => pool.apply(forever, [], { timeout: 50 }), Timeout);
      assert.equal(
        pool.apply(() => 'still well'),
        'still well',
      );
    }),
  );

  test(
    'kill() ends all; later calls are refused',
    inRealTime(() => {
      const other = new ThreadPool(1);
      const begun = shared();
      const running = other.applyAsync(begunForever, [begun]);
      until(() => Atomics.load(begun, 0) === 1);
      other.kill();
      assert.throws(() => running.get(), { code: 'ERR_THREADPOOL_DIED' });
      assert.throws(() => other.apply(() => 1), SocketClosedError);
      other.kill();
    }),
  );

  test('idle threads do not keep the process', () => {
    const program = `import { run } from '@tendril/core'; import { ThreadPool } from '@tendril/core/threadpool';
      await run(() => console.log(new ThreadPool(2, { idleTimeout: 3_600_000 }).apply(() => 'end')));`;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      timeout: 60_000,
    });
    assert.equal(output, 'end\n');
  });
});
