/** What Fiber refuses, and reset(). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fiber, leaveNothing, suite } from './helpers.js';

leaveNothing();

const zombie = { name: 'Error', message: 'This Fiber is a zombie' };
type Any = (...args: unknown[]) => unknown;

suite('misuse', () => {
  test('of the constructor', () => {
    const make = Fiber as unknown as Any;
    assert.throws(() => make(), { name: 'TypeError', message: 'Fiber expects 1 argument' });
    const fn = () => {};
    assert.throws(() => make(fn, fn), { name: 'TypeError', message: 'Fiber expects 1 argument' });
    assert.throws(() => make({}), { name: 'TypeError', message: 'Fiber expects a function' });
  });

  test('refuses to run one that runs already', () => {
    const fiber = Fiber(() => {
      const self = Fiber.current;
      Fiber(() => self?.run()).run();
    });
    assert.throws(() => fiber.run(), { name: 'Error', message: 'This Fiber is already running' });
  });

  test('refuses to yield outside fibers', () => {
    assert.throws(() => Fiber.yield(), {
      name: 'Error',
      message: 'yield() called with no fiber running',
    });
  });

  test('refuses a `this` that is no fiber', () => {
    for (const method of ['run', 'reset', 'throwInto'] as const)
      for (const self of [null, undefined, {}, Fiber])
        assert.throws(() => Fiber.prototype[method].call(self as never), TypeError);
  });

  test('of throwInto() and reset()', () => {
    const fiber = Fiber(() => {
      const self = Fiber.current;
      for (const method of ['reset', 'throwInto'] as const)
        assert.throws(() => self?.[method](), {
          name: 'Error',
          message: 'This Fiber is not yielding',
        });
      Fiber.yield();
    });
    assert.throws(() => fiber.throwInto(new Error('x')), { message: 'This Fiber is not yielding' });
    fiber.run();
    fiber.run();
    assert.throws(() => fiber.throwInto(new Error('x')), { message: 'This Fiber is not yielding' });
  });

  test('of the number of arguments, which leaves the fiber as it was', () => {
    const fiber = Fiber(() => {
      assert.throws(() => (Fiber.yield as Any)(1, 2), {
        name: 'TypeError',
        message: 'yield() expects 1 or no arguments',
      });
      return Fiber.yield('alive');
    });
    assert.equal(fiber.run(), 'alive');
    const refusals = {
      run: 'run() excepts 1 or no arguments',
      throwInto: 'throwInto() expects 1 or no arguments',
    };
    for (const [name, message] of Object.entries(refusals))
      assert.throws(() => (fiber[name as 'run'] as Any)(1, 2), { name: 'TypeError', message });
    assert.throws(() => (fiber.reset as Any)(1), {
      name: 'TypeError',
      message: 'reset() expects no arguments',
    });
    assert.equal(fiber.run('end'), 'end');
  });
});

suite('reset()', (times) => {
  test('reset() throws at every yield', () => {
    let yields = 0;
    const fiber = Fiber(() => {
      for (yields = 0; yields < times(1000); yields++) {
        try {
          Fiber.yield();
        } catch (error) {
          assert.ok(error instanceof Error);
          assert.equal(error.message, zombie.message);
        }
      }
    });
    fiber.run();
    assert.equal(fiber.reset(), undefined);
    assert.equal(yields, times(1000));
    assert.equal(fiber.started, false);
  });

  test('does nothing to one that has not started', () => {
    let ran = false;
    const fiber = Fiber(() => {
      ran = true;
    });
    assert.equal(fiber.reset(), undefined);
    assert.equal(ran, false);
  });

  test('runs finally blocks, and the fiber can be run anew', () => {
    const log: string[] = [];
    const fiber = Fiber(() => {
      try {
        Fiber.yield('first');
      } finally {
        log.push('cleaned');
        assert.throws(() => Fiber.yield(), zombie);
        assert.equal(Fiber.current, fiber);
      }
    });
    fiber.run();
    assert.equal(fiber.reset(), undefined);
    assert.deepEqual(log, ['cleaned']);
    assert.equal(fiber.run(), 'first');
    assert.equal(fiber.reset(), undefined);
  });

  test('gives what the function returns or throws after all', () => {
    const fiber = Fiber((how) => {
      try {
        return Fiber.yield();
      } catch {
        if (how === 'throw') throw new Error('other');
        return 'value';
      }
    });
    fiber.run('return');
    assert.equal(fiber.reset(), 'value');
    fiber.run('throw');
    assert.throws(() => fiber.reset(), { message: 'other' });
    assert.equal(fiber.started, false);
  });
});
