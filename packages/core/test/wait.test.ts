import assert from 'node:assert/strict';
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import {
  asyncify,
  blocking,
  joinall,
  Local,
  LoopExit,
  park,
  run,
  sleep,
  spawn,
  Timeout,
  wait,
} from '@tendril/core';
import { inGreenlet, leaveNothing } from './helpers.js';

leaveNothing();

describe('wait', () => {
  test(
    'returns the value or throws the very reason',
    inGreenlet(() => {
      const reason = new Error('no');
      assert.equal(wait(Promise.resolve(5)), 5);
      assert.throws(
        () => wait(Promise.reject(reason)),
        (e) => e === reason,
      );
      assert.throws(() => wait(5 as never), { code: 'ERR_INVALID_ARG' });
    }),
  );

  test(
    'aborts the signal of its function form on kill and timeout',
    inGreenlet(() => {
      const signals: AbortSignal[] = [];
      const never = (signal: AbortSignal) => {
        signals.push(signal);
        return new Promise<void>((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        });
      };
      assert.throws(() => wait(never, { timeout: 10 }), Timeout);
      const greenlet = spawn(() => wait(never));
      sleep(0);
      greenlet.kill();
      assert.deepEqual(
        signals.map((signal) => signal.aborted),
        [true, true],
      );
      assert.equal(signals[1]?.reason, greenlet.value);
      sleep(10);
    }),
  );

  test(
    'blocking() takes the await out of a client',
    inGreenlet(() => {
      class Client {
        prefix = 'got ';
        async get(key: string) {
          return this.prefix + key;
        }
        plain() {
          return 1;
        }
      }
      const client = blocking(new Client());
      assert.equal(client.get('k'), 'got k');
      assert.equal(client.plain(), 1);
      assert.equal(client.prefix, 'got ');
    }),
  );

  test('asyncify runs each call in a greenlet, with its this', async () => {
    const handler = {
      name: 'h',
      handle: asyncify(function (this: { name: string }, n: number) {
        sleep(0);
        return this.name + n;
      } as (n: number) => string),
    };
    assert.equal(await handler.handle(3), 'h3');
  });
});

describe('run', () => {
  test('reports LoopExit with who is parked and where, after finally', async () => {
    const { stdout, status } = script(`
      import { run, park, spawn } from '@tendril/core';
      run(() => {
        spawn(function waiter() { park(() => {}); }).name = 'other';
        try { park(() => {}); } finally { console.log('finally'); }
      }).catch((error) => {
        console.log(error.code, error.parked.length, /other/.test(error.message), /waiter/.test(error.message));
      });`);
    assert.equal(stdout, 'finally\nERR_LOOP_EXIT 2 true true\n');
    assert.equal(status, 0);
    assert.ok(new LoopExit([]).parked);
  });

  test('a rejection after a kill is no unhandled rejection', () => {
    const { stdout, stderr, status } = script(`
      import { run, spawn, sleep, wait } from '@tendril/core';
      await run(() => {
        let reject;
        const late = new Promise((_, no) => { reject = no; });
        const g = spawn(() => wait(late));
        sleep(0); g.kill(); reject(new Error('late'));
        for (let i = 0; i < 10; i++) wait(new Promise((resolve) => setImmediate(resolve)));
        console.log('calm');
      });`);
    assert.deepEqual([stdout, stderr, status], ['calm\n', '', 0]);
  });

  test('crashOnError ends the process; without it the error is printed and life goes on', () => {
    const body = (crash: boolean) => `
      import { config, run, spawn, wait } from '@tendril/core';
      config.crashOnError = ${crash};
      await run(() => {
        spawn(() => { throw new Error('lost'); });
        for (let i = 0; i < 10; i++) wait(new Promise((resolve) => setImmediate(resolve)));
      });
      console.log('alive');`;
    const crashed = script(body(true));
    assert.equal(crashed.status, 1);
    const alive = script(body(false));
    assert.deepEqual([alive.stdout, alive.status], ['alive\n', 0]);
    assert.equal(alive.stderr.match(/Error: lost/g)?.length, 1);
    assert.match(alive.stderr, /greenlet Greenlet-1, spawned at/);
  });

  test('a blocking call outside greenlets says what to do', () => {
    assert.throws(() => sleep(1), {
      code: 'ERR_NOT_IN_GREENLET',
      message: /spawn\(fn\) or run\(fn\)/,
    });
    assert.throws(() => park(() => {}), { code: 'ERR_NOT_IN_GREENLET' });
  });
});

function script(source: string) {
  return spawnSync(process.execPath, ['--input-type=module', '-e', source], {
    cwd: new URL('..', import.meta.url),
    encoding: 'utf8',
  });
}

describe('AsyncLocalStorage', () => {
  const storage = new AsyncLocalStorage<string>();

  test('is inherited from the spawner and kept over every park', async () => {
    await run(() => {
      const all = Array.from({ length: 300 }, (_, i) =>
        storage.run(`outer${i}`, () =>
          spawn(() => {
            sleep(i % 3);
            const resource = new AsyncResource('Test');
            const inner = storage.run(`inner${i}`, () => {
              sleep(0);
              const seen = storage.getStore();
              const scoped = resource.runInAsyncScope(() => {
                sleep(1);
                return storage.getStore();
              });
              return `${seen} ${scoped} ${storage.getStore()}`;
            });
            const timer = wait(
              new Promise((resolve) => setTimeout(() => resolve(storage.getStore()), 1)),
            );
            return `${inner} ${timer} ${storage.getStore()}`;
          }),
        ),
      );
      assert.equal(storage.getStore(), undefined);
      joinall(all);
      all.forEach((greenlet, i) => {
        assert.equal(greenlet.get(), `inner${i} outer${i} inner${i} outer${i} outer${i}`);
      });
    });
  });

  test(
    'first used inside a greenlet is kept, too',
    inGreenlet(() => {
      const late = new AsyncLocalStorage<number>();
      const all = [1, 2, 3].map((n) =>
        spawn(() =>
          late.run(n, () => {
            sleep(0);
            return late.getStore();
          }),
        ),
      );
      assert.equal(all.map((greenlet) => greenlet.get()).join(), '1,2,3');
    }),
  );

  test(
    'Local has one value per greenlet',
    inGreenlet(() => {
      const local = new Local(0);
      const all = [1, 2].map((n) =>
        spawn(() => {
          local.set(n);
          sleep(0);
          return local.get();
        }),
      );
      assert.equal(all.map((greenlet) => greenlet.get()).join(), '1,2');
      assert.equal(local.get(), 0);
    }),
  );
});
