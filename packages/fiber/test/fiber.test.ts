import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Fiber, FiberError } from '@tendril/fiber';
import { checkLeaksAfterAll, collect } from './helpers/leaks.js';

checkLeaksAfterAll();

function code(expected: string) {
  return (error: unknown) => error instanceof FiberError && error.code === expected;
}

describe('a fiber', () => {
  test('passes values both ways', () => {
    const fiber = new Fiber((first) => {
      const second = Fiber.suspend(`${first}1`);
      const third = Fiber.suspend(`${second}2`);
      return `${third}3`;
    });
    assert.equal(fiber.state, 'created');
    assert.equal(fiber.resume('a'), 'a1');
    assert.equal(fiber.state, 'suspended');
    assert.equal(fiber.resume('b'), 'b2');
    assert.equal(fiber.resume('c'), 'c3');
    assert.equal(fiber.state, 'done');
  });

  test('is the current one while it runs', () => {
    const fiber: Fiber = new Fiber(() => {
      collect();
      return Fiber.current === fiber && fiber.state === 'running';
    });
    assert.equal(Fiber.current, undefined);
    assert.equal(fiber.resume(), true);
    assert.equal(Fiber.current, undefined);
  });

  test('throws its error out of resume, unchanged', () => {
    const error = new RangeError('mine');
    const fiber = new Fiber(() => {
      throw error;
    });
    assert.throws(
      () => fiber.resume(),
      (thrown) => thrown === error,
    );
    assert.equal(fiber.state, 'done');
  });

  test('gets an error thrown into it at its suspend, and can catch it', () => {
    const error = new Error('into');
    const fiber = new Fiber(() => {
      try {
        Fiber.suspend();
      } catch (caught) {
        return caught;
      }
      return undefined;
    });
    fiber.resume();
    assert.equal(fiber.throw(error), error);
  });

  test('that has not started ends with an error thrown into it', () => {
    const error = new Error('early');
    const fiber = new Fiber(() => assert.fail('never runs'));
    assert.throws(
      () => fiber.throw(error),
      (thrown) => thrown === error,
    );
    assert.equal(fiber.state, 'done');
  });

  test('resumes others, and they it never', () => {
    const outer: Fiber = new Fiber(() => {
      const inner = new Fiber(() => {
        assert.throws(() => outer.resume(), code('ERR_FIBER_RUNNING'));
        Fiber.suspend('in');
        return 'end';
      });
      return [inner.resume(), inner.resume(), inner.state].join();
    });
    assert.equal(outer.resume(), 'in,end,done');
  });

  test('transfers to another, whose suspend goes to the first one’s resumer', () => {
    const log: string[] = [];
    const second: Fiber = new Fiber((value) => {
      log.push(`second got ${value}`);
      const again = Fiber.suspend('from second');
      log.push(`second got ${again}`);
      first.transfer('back');
      return 'never';
    });
    const first: Fiber = new Fiber(() => {
      const value = second.transfer('x');
      log.push(`first got ${value}`);
      return 'first ended';
    });
    assert.equal(first.resume(), 'from second');
    assert.equal(first.state, 'suspended');
    assert.equal(second.resume('y'), 'first ended');
    assert.equal(second.state, 'suspended');
    assert.equal(log.join('; '), 'second got x; second got y; first got back');
    assert.throws(() => second.throw(new Error('over')), /over/);
  });

  test('overflows its stack with a RangeError, and the stack is usable again', () => {
    function recurse(): number {
      return 1 + recurse();
    }
    for (let i = 0; i < 3; i++) {
      const fiber = new Fiber(() => {
        try {
          return recurse();
        } catch (error) {
          return error instanceof RangeError;
        }
      });
      assert.equal(fiber.resume(), true);
    }
  });

  test('goes deeper on a larger stack', () => {
    const depthOn = (stackSize: number) =>
      new Fiber(
        () => {
          let depth = 0;
          const recurse = () => {
            depth++;
            recurse();
          };
          try {
            recurse();
          } catch {}
          return depth;
        },
        { stackSize },
      ).resume() as number;
    assert.ok(depthOn(4 * 1024 * 1024) > 4 * depthOn(256 * 1024));
  });

  test('has a name', () => {
    assert.equal(new Fiber(() => 0, { name: 'worker' }).name, 'worker');
    assert.equal(new Fiber(() => 0).name, undefined);
  });
});

describe('misuse throws a typed error and changes nothing', () => {
  const done = new Fiber(() => 0);
  done.resume();
  const cases: [string, string, () => unknown][] = [
    ['resume of a finished fiber', 'ERR_FIBER_DONE', () => done.resume()],
    ['throw into a finished fiber', 'ERR_FIBER_DONE', () => done.throw(new Error())],
    ['transfer to a finished fiber', 'ERR_FIBER_DONE', () => done.transfer()],
    ['suspend outside', 'ERR_NOT_IN_FIBER', () => Fiber.suspend()],
    ['no function', 'ERR_INVALID_ARG_TYPE', () => new Fiber(1 as never)],
    ['no options object', 'ERR_INVALID_ARG_TYPE', () => new Fiber(() => 0, 5 as never)],
    ['a name that is none', 'ERR_INVALID_ARG_TYPE', () => new Fiber(() => 0, { name: 5 as never })],
    ['a tiny stack', 'ERR_FIBER_STACK_SIZE', () => new Fiber(() => 0, { stackSize: 1000 })],
    ['a huge stack', 'ERR_FIBER_STACK_SIZE', () => new Fiber(() => 0, { stackSize: 2 ** 40 })],
    ['a stack of NaN', 'ERR_FIBER_STACK_SIZE', () => new Fiber(() => 0, { stackSize: Number.NaN })],
  ];
  for (const [title, expected, misuse] of cases) {
    test(title, () => {
      assert.throws(misuse, code(expected));
      assert.equal(done.state, 'done');
    });
  }

  test('transfer to itself', () => {
    const fiber: Fiber = new Fiber(() => {
      assert.throws(() => fiber.transfer(), code('ERR_FIBER_RUNNING'));
      return fiber.state;
    });
    assert.equal(fiber.resume(), 'running');
  });
});
