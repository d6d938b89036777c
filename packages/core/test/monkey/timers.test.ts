import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { EventEmitter, on, once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import timers from 'node:timers/promises';
import { promisify } from 'node:util';
import { getCurrent, run, sleep, spawn, wait } from '@tendril/core';
import { getOriginal, isPatched, patchEvents, patchTimers, restore } from '@tendril/core/monkey';
import { inGreenlet, leaveNothing } from '../helpers.js';
import { describeError, describeValue } from './describe-outcome.js';

leaveNothing();

before(() => {
  patchTimers();
  patchEvents();
});
after(() => restore());

const isAbort = (error: unknown) =>
  (error as Error).name === 'AbortError' && (error as { code: string }).code === 'ABORT_ERR';

/** Runs `body` and returns the rejections that nobody handled meanwhile. */
async function unhandled(body: () => Promise<unknown>): Promise<unknown[]> {
  const seen: unknown[] = [];
  const listener = (reason: unknown) => seen.push(reason);
  process.on('unhandledRejection', listener);
  try {
    await body();
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.off('unhandledRejection', listener);
  }
  return seen;
}

describe('timers/promises in greenlets', () => {
  test(
    'go by the clock of the hub',
    inGreenlet((clock) => {
      assert.equal(wait(timers.setTimeout(3_600_000, 'late')), 'late');
      wait(timers.scheduler.wait(1000));
      wait(promisify(setTimeout)(1000));
      assert.equal(wait(timers.setImmediate('now')), 'now');
      assert.equal(clock.now(), 3_602_000);
      const ticks = timers.setInterval(500, 'tick');
      for (const at of [500, 1000]) {
        assert.deepEqual(wait(ticks.next()), { value: 'tick', done: false });
        assert.equal(clock.now(), 3_602_000 + at);
      }
      wait(ticks.return?.() as Promise<unknown>);
    }),
  );

  test(
    'can be waited for together',
    inGreenlet(() => {
      const both = Promise.all([timers.setTimeout(5, 1), timers.setTimeout(2, 2)]);
      assert.deepEqual(wait(both.then((values) => values.map((value) => value * 2))), [2, 4]);
    }),
  );

  test('end with their greenlet, and nobody has to handle that', async () => {
    const emitter = new EventEmitter();
    const reasons: unknown[] = [];
    const left = await unhandled(() =>
      run(() => {
        const victim = spawn(() => {
          timers.setTimeout(60_000);
          timers.setTimeout(60_000, 1, { ref: false });
          timers.scheduler.wait(60_000);
          timers.setImmediate();
          once(emitter, 'never');
          const seen = [timers.setTimeout(60_000), once(emitter, 'never')];
          for (const one of seen) one.catch((reason) => reasons.push(reason));
          const ticks = timers.setInterval(60_000);
          ticks.next().catch((reason) => reasons.push(reason));
          const events = on(emitter, 'never');
          events.next().catch((reason: unknown) => reasons.push(reason));
          sleep(60_000);
        });
        sleep(0);
        victim.kill();
      }),
    );
    assert.deepEqual(left, []);
    assert.equal(reasons.length, 4);
    assert.ok(reasons.every(isAbort));
    assert.equal(emitter.listenerCount('never'), 0);
  });

  test('other rejections are as unhandled as ever', () => {
    const program = `
      import timers from 'node:timers/promises';
      import { run } from '@tendril/core';
      import { patchTimers } from '@tendril/core/monkey';
      patchTimers();
      await run(() => void timers.setTimeout(6e4, 1, { signal: AbortSignal.abort('own') }));`;
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
    });
    assert.equal(status, 1);
    assert.match(stderr, /AbortError[\s\S]*cause.*'own'/);
  });

  test(
    'a signal of their own aborts them too',
    inGreenlet(() => {
      const controller = new AbortController();
      const { signal } = controller;
      const emitter = new EventEmitter();
      const started = [
        timers.setTimeout(1e6, 1, { signal }),
        timers.scheduler.wait(1e6, { signal }),
        once(emitter, 'never', { signal }),
        timers.setInterval(1e6, 1, { signal }).next(),
      ];
      const settled = Promise.allSettled(started);
      controller.abort('enough');
      for (const { reason } of wait(settled) as PromiseRejectedResult[])
        assert.ok(isAbort(reason) && reason.cause === 'enough');
      assert.equal(getCurrent()?.signal.aborted, false);
    }),
  );

  test('an event ends once()', async () => {
    const emitter = new EventEmitter();
    await run(() => {
      const waiting = spawn(() => wait(once(emitter, 'come')));
      sleep(0);
      emitter.emit('come', 1, 2);
      assert.deepEqual(waiting.get(), [1, 2]);
    });
  });
});

describe('as Node has it', () => {
  type Call = (...args: unknown[]) => Promise<unknown>;
  const settle = async (call: Call, args: unknown[]) => {
    try {
      return describeValue(await call(...args));
    } catch (error) {
      return { failed: describeError(error) };
    }
  };
  const aborted = AbortSignal.abort();
  const rows: [string, ...unknown[]][] = [
    ['setTimeout'],
    ['setTimeout', 1, 'value'],
    ['setTimeout', 0, 'value', {}],
    ['setTimeout', '5'],
    ['setTimeout', 1, 1, null],
    ['setTimeout', 1, 1, []],
    ['setTimeout', 1, 1, 'x'],
    ['setTimeout', 1, 1, { signal: 5 }],
    ['setTimeout', 1, 1, { signal: undefined, ref: undefined }],
    ['setTimeout', 1, 1, { ref: 5 }],
    ['setTimeout', 1, 1, { signal: aborted }],
    ['setImmediate', 'value'],
    ['setImmediate', 1, null],
    ['setImmediate', 1, { signal: 5 }],
    ['setImmediate', 1, { ref: 5 }],
    ['setImmediate', 1, { signal: aborted }],
  ];
  for (const [name, ...args] of rows)
    test(`${name}(${args.map((one) => JSON.stringify(one)).join(', ')})`, async () => {
      const expected = await settle(getOriginal<Call>('timers/promises', name), args);
      const patched = (timers as never as Record<string, Call>)[name] as Call;
      assert.equal(isPatched('node:timers/promises', name), true);
      assert.deepEqual(await run(() => wait(settle(patched, args))), expected);
      assert.deepEqual(await settle(patched, args), expected);
    });
});
