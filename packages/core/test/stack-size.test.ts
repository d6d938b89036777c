/** The stacks of greenlets: their size as set for all, for one, for the members of a pool. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { config, Greenlet, joinall, Pool, run, sleep, spawn } from '@tendril/core';
import { statistics } from '@tendril/fiber';
import { inGreenlet, leaveNothing } from './helpers.js';

leaveNothing();

const MiB = 1024 * 1024;
const { stackBytes } = statistics();

/** How deep a call may go on the stack that this runs on, against that of a usual one. */
function depth(): number {
  let deep = 0;
  const down = () => {
    deep++;
    down();
  };
  try {
    down();
  } catch {
    // there
  }
  return deep;
}

const withSetting = (size: number | undefined, body: () => void) =>
  inGreenlet(() => {
    config.stackSize = size;
    try {
      body();
    } finally {
      config.stackSize = undefined;
    }
  });

describe('the size of the stacks of greenlets', () => {
  const sizes: [string, () => Greenlet<number>][] = [
    [
      'config.stackSize',
      () => {
        config.stackSize = 32 * MiB;
        const one = spawn(depth);
        sleep(0);
        config.stackSize = undefined;
        return one;
      },
    ],
    [
      'greenlet.stackSize',
      () => {
        const one = new Greenlet(depth) as Greenlet<number>;
        one.stackSize = 32 * MiB;
        one.start();
        return one;
      },
    ],
    ['an option of Pool', () => new Pool(2, { stackSize: 32 * MiB }).spawn(depth)],
  ];
  for (const [name, start] of sizes)
    test(
      `is set by ${name}, and for nobody else`,
      inGreenlet(() => {
        spawn(depth).get(); // compiled by then
        const usual = spawn(depth).get();
        assert.ok(start().get() > 8 * usual);
        assert.ok(spawn(depth).get() < 2 * usual);
      }),
    );

  test('is set by an option of run()', async () => {
    const usual = await run(depth);
    assert.ok((await run(depth, { stackSize: 32 * MiB })) > 8 * usual);
    assert.ok((await run(depth)) < 2 * usual);
  });

  test(
    'those of one size follow each other on one stack, others do not run there',
    withSetting(undefined, () => {
      const order: number[] = [];
      const all = Array.from({ length: 40 }, (_, i) => {
        const one = new Greenlet(() => order.push(i));
        if (i % 3 === 0) one.stackSize = MiB;
        one.start();
        return one;
      });
      joinall(all);
      assert.deepEqual(order, [...order.keys()], 'in the order of their starts');
    }),
  );

  test(
    'a stack of another size than the setting now is goes with its greenlet',
    withSetting(32 * MiB, () => {
      joinall(Array.from({ length: 20 }, () => spawn(() => sleep(1))));
      config.stackSize = undefined;
      joinall(Array.from({ length: 20 }, () => spawn(() => sleep(1))));
      assert.ok(statistics().stackBytes - stackBytes < 30 * 8 * MiB);
    }),
  );

  const wrong: [string, () => unknown][] = [
    ['config.stackSize', () => Reflect.set(config, 'stackSize', 1)],
    ['greenlet.stackSize', () => Reflect.set(new Greenlet(() => {}), 'stackSize', '1')],
    ['an option of Pool', () => new Pool(1, { stackSize: 2 ** 40 })],
    ['an option of run()', () => run(() => {}, { stackSize: Number.NaN })],
  ];
  for (const [name, set] of wrong)
    test(`${name}: a size that no stack can have is refused at once`, () => {
      assert.throws(set, { code: 'ERR_FIBER_STACK_SIZE' });
      assert.equal(config.stackSize, undefined);
    });
});
