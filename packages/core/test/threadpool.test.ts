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
    'what is thrown comes back as it was thrown, error or not',
    inRealTime(() => {
      const values: unknown[] = [undefined, null, 0, '', 'text', 5n, { code: 'E_X' }, [1, 2]];
      for (const value of values) {
        const thrown = (e: unknown) => {
          assert.deepEqual(e, value);
          return true;
        };
        const raise = (value: unknown) => {
          throw value;
        };
        assert.throws(() => pool.apply(raise, [value]), thrown);
        assert.throws(() => pool.applyAsync(raise, [value]).get(), thrown);
        assert.throws(() => pool.map(raise, [value]), thrown);
      }
    }),
  );

  test(
    'errors keep their class, cause, errors and own properties',
    inRealTime(() => {
      const thrownBy = (fn: () => unknown): Error & Record<string, unknown> => {
        try {
          pool.apply(fn);
        } catch (error) {
          return error as Error & Record<string, unknown>;
        }
        throw new Error('nothing was thrown');
      };
      const system = thrownBy(() => process.getBuiltinModule('node:fs').readFileSync('/no/such'));
      assert.deepEqual(Object.keys(system), ['errno', 'code', 'syscall', 'path']);
      assert.equal(system.code, 'ENOENT');
      assert.equal(system.errno, -2);
      assert.match(system.stack as string, /readFileSync/);
      const caused = thrownBy(() => {
        const inner = Object.assign(new TypeError('inner'), { code: 'E_IN' });
        throw new Error('outer', { cause: new RangeError('middle', { cause: inner }) });
      });
      const middle = caused.cause as Error;
      const inner = middle.cause as TypeError & { code: string };
      assert.ok(middle instanceof RangeError && inner instanceof TypeError);
      assert.deepEqual(
        [caused.message, middle.message, inner.message],
        ['outer', 'middle', 'inner'],
      );
      assert.equal(inner.code, 'E_IN');
      assert.deepEqual(Object.keys(caused), [], 'cause is not enumerable');
      const plain = thrownBy(() => {
        throw new Error('plain', { cause: { why: [undefined] } });
      });
      assert.deepEqual(plain.cause, { why: [undefined] });
      const several = thrownBy(() => {
        const one = Object.assign(new Error('one'), { code: 'E_ONE' });
        throw new AggregateError([one, 2, one], 'several');
      }) as unknown as AggregateError;
      assert.ok(several instanceof AggregateError);
      assert.equal(several.errors[0].code, 'E_ONE');
      assert.equal(several.errors[1], 2);
      assert.equal(several.errors[2], several.errors[0]);
      const aborted = thrownBy(() =>
        AbortSignal.abort().throwIfAborted(),
      ) as unknown as DOMException;
      assert.ok(aborted instanceof DOMException);
      assert.deepEqual([aborted.name, aborted.code], ['AbortError', 20]);
      const own = thrownBy(() => {
        class HttpError extends TypeError {
          override name = 'HttpError';
          status = 404;
          headers = new Map([['a', 'b']]);
        }
        throw new HttpError('gone');
      });
      assert.ok(own instanceof TypeError);
      assert.equal(own.name, 'HttpError');
      assert.equal(own.status, 404);
      assert.deepEqual(own.headers, new Map([['a', 'b']]));
      const round = thrownBy(() => {
        const error = new Error('round');
        error.cause = error;
        throw error;
      });
      assert.equal(round.cause, round);
      const hostile = thrownBy(() => {
        throw Object.defineProperty(
          Object.assign(new Error('kept'), { request: () => 1, n: 1 }),
          'bad',
          {
            enumerable: true,
            get() {
              throw new Error('no');
            },
          },
        );
      });
      assert.deepEqual(
        [hostile.message, hostile.n],
        ['kept', 1],
        'what cannot be cloned is left out',
      );
      assert.equal('request' in hostile, false);
    }),
  );

  test(
    'what cannot be cloned has a code and says what; the thread lives on',
    inRealTime(() => {
      const one = new ThreadPool(1, { idleTimeout: 60_000 });
      try {
        const thread = () => process.getBuiltinModule('node:worker_threads').threadId;
        const id = one.apply(thread);
        const refused = (fn: () => unknown, message: RegExp) =>
          assert.throws(fn, { name: 'ThreadPoolError', code: 'ERR_THREADPOOL_CLONE', message });
        refused(() => one.apply(() => () => 1), /function has returned .*\(\) => 1 could not be/);
        refused(() => one.apply(() => ({ deep: [Symbol('s')] })), /has returned .*Symbol\(s\)/);
        refused(() => one.apply(() => Promise.resolve({ f() {} })), /has returned/);
        refused(() => one.apply(() => new WeakMap()), /has returned .*WeakMap/);
        refused(() => {
          one.apply(() => {
            throw () => 1;
          });
        }, /has thrown .*\(\) => 1 could not be/);
        const echo = (...all: unknown[]) => all.length;
        refused(() => one.apply(echo, [1, () => 1]), /Argument 2 .*\(\) => 1 could not be/);
        refused(() => one.apply(echo, [{ deep: Symbol('s') }]), /Argument 1 /);
        const { port1, port2 } = new MessageChannel();
        refused(() => one.apply(echo, [port1]), /Argument 1 /);
        port1.close();
        port2.close();
        refused(() => one.map((f: unknown) => f, [() => 1]), /Argument 1 /);
        assert.throws(
          () =>
            one.apply(() => ({
              get bad() {
                throw Object.assign(new RangeError('bad getter'), { code: 'E_BAD' });
              },
            })),
          { name: 'RangeError', message: 'bad getter', code: 'E_BAD' },
        );
        // Memory that cannot be handed over is copied.
        const wasm = one.apply(() => {
          const { Memory } = Reflect.get(globalThis, 'WebAssembly');
          return new Uint8Array(new Memory({ initial: 1 }).buffer);
        });
        assert.equal(wasm.length, 65_536);
        assert.equal(one.apply(thread), id);
      } finally {
        one.kill();
      }
    }),
  );

  test(
    'what a greenlet is killed with comes out as it is, whatever it looks like',
    inRealTime(() => {
      const looks = Object.assign(new Error('worker exited'), { name: 'DataCloneError' });
      const begun = shared();
      const running = pool.applyAsync(begunForever, [begun]);
      until(() => Atomics.load(begun, 0) === 1);
      running.kill({ error: looks });
      assert.equal(running.exception, looks);
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
