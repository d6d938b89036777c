/** A fiber inside code of node:vm that runs under a limit. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import vm from 'node:vm';
import { Fiber, pinnedBy } from '@tendril/fiber';
import { checkLeaksAfterAll } from './helpers/leaks.js';

checkLeaksAfterAll();

const suspend = (value?: unknown) => Fiber.suspend(value);
const context = () => vm.createContext({ suspend });
const code = (code: string) => ({ code });

describe('a fiber inside limited code of node:vm', () => {
  const ways: Record<string, (options: vm.RunningScriptOptions) => unknown> = {
    runInContext: (options) => vm.runInContext('suspend(1)', context(), options),
    runInNewContext: (options) => vm.runInNewContext('suspend(1)', { suspend }, options),
    runInThisContext: (options) =>
      (vm.runInThisContext('(f) => f()') as (f: unknown) => unknown)(() =>
        new vm.Script('globalThis.suspendIt(1)').runInThisContext(options),
      ),
    'Script.runInContext': (options) =>
      new vm.Script('suspend(1)').runInContext(context(), options),
    'Script.runInNewContext': (options) =>
      new vm.Script('suspend(1)').runInNewContext({ suspend }, options),
  };
  Object.assign(globalThis, { suspendIt: suspend });

  for (const [name, call] of Object.entries(ways)) {
    for (const options of [{ timeout: 60_000 }, { breakOnSigint: true }])
      test(`${name}, ${JSON.stringify(options)}: cannot be suspended, and says so`, () => {
        const fiber = new Fiber(() => {
          assert.throws(() => call(options), code('ERR_FIBER_PINNED'));
          assert.equal(pinnedBy(), undefined);
          return Fiber.suspend('outside');
        });
        assert.equal(fiber.resume(), 'outside');
        assert.equal(fiber.resume('over'), 'over');
      });
    test(`${name}, without a limit: is suspended as anywhere`, () => {
      const fiber = new Fiber(() => call({}));
      assert.equal(fiber.resume(), 1);
      assert.equal(fiber.resume('back'), 'back');
    });
  }

  test('transfers to nobody', () => {
    const other = new Fiber(() => 'ran');
    const fiber = new Fiber(() => {
      const within = vm.createContext({ transfer: () => other.transfer() });
      assert.throws(
        () => vm.runInContext('transfer()', within, { timeout: 60_000 }),
        code('ERR_FIBER_PINNED'),
      );
      return other.state;
    });
    assert.equal(fiber.resume(), 'created');
  });

  test('resumes others, which are suspended as ever', () => {
    const other = new Fiber(() => Fiber.suspend('first') ?? 'ended');
    const fiber = new Fiber(() =>
      vm.runInContext(
        '[resume(), resume(2)].join()',
        vm.createContext({ resume: (v: unknown) => other.resume(v) }),
        {
          timeout: 60_000,
        },
      ),
    );
    assert.equal(fiber.resume(), 'first,2');
  });

  test('fails by the limit, alone, and is free again', () => {
    const fiber = new Fiber(() => {
      for (const nested of ['for (;;);', 'run()']) {
        const run = () => vm.runInNewContext('for (;;);', {}, { timeout: 1_000_000 });
        assert.throws(
          () => vm.runInNewContext(nested, { run }, { timeout: 5 }),
          code('ERR_SCRIPT_EXECUTION_TIMEOUT'),
        );
        assert.equal(pinnedBy(), undefined);
      }
      return Fiber.suspend('free');
    });
    assert.equal(fiber.resume(), 'free');
    fiber.resume();
  });

  test('functions of node:vm look as they did', () => {
    const { runInContext, runInThisContext } = vm.Script.prototype;
    assert.deepEqual([runInContext.name, runInContext.length], ['runInContext', 2]);
    assert.deepEqual([runInThisContext.name, runInThisContext.length], ['runInThisContext', 1]);
    assert.throws(
      () => new vm.Script('1').runInThisContext({ timeout: -1 }),
      code('ERR_OUT_OF_RANGE'),
    );
    assert.throws(
      () => new vm.Script('1').runInContext({}, { timeout: 5 }),
      code('ERR_INVALID_ARG_TYPE'),
    );
    assert.throws(
      () => new vm.Script('1').runInThisContext(null as never),
      code('ERR_INVALID_ARG_TYPE'),
    );
  });
});
