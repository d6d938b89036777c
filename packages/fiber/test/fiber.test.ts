import assert from 'node:assert/strict';
import { AsyncResource } from 'node:async_hooks';
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

  test('suspend and transfer inside runInAsyncScope', () => {
    const other = new Fiber(() => assert.fail('never runs'));
    const resource = new AsyncResource('TEST');
    const fiber: Fiber = new Fiber(() => {
      resource.runInAsyncScope(() => {
        assert.throws(() => Fiber.suspend(), code('ERR_FIBER_CALLBACK_SCOPE'));
        assert.throws(() => other.transfer(), code('ERR_FIBER_CALLBACK_SCOPE'));
        assert.deepEqual([fiber.state, other.state], ['running', 'created']);
        // A fiber that begins and is resumed in the scope may park in it.
        const inner = new Fiber(() => Fiber.suspend('inner'));
        assert.equal(inner.resume(), 'inner');
        assert.equal(inner.resume('end'), 'end');
      });
      return Fiber.suspend('outside again');
    });
    assert.equal(fiber.resume(), 'outside again');
    // Resumed from within a scope, it goes on in that scope and leaves it with its end.
    assert.equal(
      resource.runInAsyncScope(() => fiber.resume('end')),
      'end',
    );
  });

  test('transfer to itself', () => {
    const fiber: Fiber = new Fiber(() => {
      assert.throws(() => fiber.transfer(), code('ERR_FIBER_RUNNING'));
      return fiber.state;
    });
    assert.equal(fiber.resume(), 'running');
  });
});

describe('misuse of stack sizes', () => {
  for (const stackSize of [131_072, 262_144, 200_001, 67_108_864]) {
    test(`${stackSize} bytes are accepted`, () => {
      assert.equal(new Fiber(() => 'ran', { stackSize }).resume(), 'ran');
    });
  }
  for (const stackSize of [0, -1, 131_071, 67_108_865, Infinity, '262144', null]) {
    test(`${JSON.stringify(stackSize)} (${String(stackSize)}) is refused`, () => {
      assert.throws(
        () => new Fiber(() => 0, { stackSize: stackSize as number }),
        code('ERR_FIBER_STACK_SIZE'),
      );
    });
  }
});

describe('a switch', () => {
  test('back to a fiber that transferred away resumes it where it left', () => {
    const log: string[] = [];
    const b: Fiber = new Fiber((value) => {
      log.push(`b:${value}`);
      log.push(`b:${Fiber.suspend('from b')}`);
      return 'b ended';
    });
    const a: Fiber = new Fiber(() => {
      log.push(`a:${b.transfer('hello')}`);
      return 'a ended';
    });
    assert.equal(a.resume(), 'from b');
    assert.equal(a.resume('again'), 'a ended');
    assert.equal(b.resume('last'), 'b ended');
    assert.equal(log.join(' '), 'b:hello a:again b:last');
  });

  test('through a chain of transfers returns to the first one’s resumer', () => {
    const c: Fiber = new Fiber((value) => Fiber.suspend(`${value}c`));
    const b: Fiber = new Fiber((value) => c.transfer(`${value}b`));
    const a: Fiber = new Fiber(() => b.transfer('a'));
    const outer: Fiber = new Fiber(() => ['outer', a.resume(), Fiber.current === outer].join());
    assert.equal(outer.resume(), 'outer,abc,true');
    assert.deepEqual([a.state, b.state, c.state], ['suspended', 'suspended', 'suspended']);
    for (const fiber of [a, b, c]) assert.equal(fiber.resume('end'), 'end');
  });

  test('by transfer from outside is a resume', () => {
    const fiber = new Fiber((value) => Fiber.suspend(value));
    assert.equal(fiber.transfer(1), 1);
    assert.equal(fiber.transfer(2), 2);
    assert.equal(fiber.state, 'done');
  });

  test('by transfer to a fiber that throws brings the error to the first one’s resumer', () => {
    const error = new Error('from the second');
    const second = new Fiber(() => {
      throw error;
    });
    const first = new Fiber(() => {
      try {
        second.transfer();
      } catch {
        return 'not here';
      }
      return 'resumed';
    });
    assert.throws(
      () => first.resume(),
      (thrown) => thrown === error,
    );
    assert.equal(first.state, 'suspended');
    assert.equal(first.resume(), 'resumed');
  });

  test('nests fifty deep, and errors cross every level unchanged', () => {
    const thrown = { not: 'an Error' };
    const nest = (depth: number): unknown =>
      new Fiber(() => {
        if (depth > 0) return nest(depth - 1);
        throw thrown;
      }).resume();
    assert.throws(
      () => nest(50),
      (caught) => caught === thrown,
    );
    assert.equal(Fiber.current, undefined);
  });

  test('to one that waits for a fiber it resumed is refused, and changes nothing', () => {
    const outer: Fiber = new Fiber(() => {
      const inner: Fiber = new Fiber(() => {
        for (const misuse of [
          () => outer.resume(),
          () => outer.throw(new Error('never')),
          () => outer.transfer(),
          () => inner.resume(),
          () => inner.throw(new Error('never')),
        ])
          assert.throws(misuse, code('ERR_FIBER_RUNNING'));
        assert.deepEqual([outer.state, inner.state], ['running', 'running']);
        return Fiber.suspend('still works');
      });
      return [inner.resume(), inner.resume('x')].join();
    });
    assert.equal(outer.resume(), 'still works,x');
  });

  test('passes any value, undefined by default, and the same object', () => {
    const object = {};
    const symbol = Symbol('value');
    const fiber = new Fiber((first) => {
      let value = first;
      for (;;) value = Fiber.suspend(value);
    });
    for (const value of [object, symbol, 0, -0, Number.NaN, '', null, undefined, 10n ** 30n, false])
      assert.ok(Object.is(fiber.resume(value), value));
    assert.equal(fiber.resume(), undefined);
    assert.throws(
      () => fiber.throw(symbol),
      (thrown) => thrown === symbol,
    );
  });

  test('out of a subclass keeps the subclass', () => {
    class Named extends Fiber<string> {
      readonly extra = 'extra';
      override resume(value?: unknown): unknown {
        return `<${super.resume(value)}>`;
      }
    }
    const fiber = new Named(() => (Fiber.current as Named).extra);
    assert.equal(fiber.resume(), '<extra>');
    assert.ok(fiber instanceof Fiber && fiber instanceof Named);
  });

  test('of a foreign receiver is a TypeError', () => {
    assert.throws(() => Fiber.prototype.resume.call({} as never), TypeError);
    assert.throws(() => (Fiber as unknown as () => void)(), code('ERR_INVALID_ARG_TYPE'));
  });
});

describe('a fiber parks', () => {
  const places: Record<string, [() => unknown, unknown]> = {
    'in a sort comparator': [() => [3, 1, 2].sort((a, b) => after(a - b)).join(), '1,2,3'],
    'in a JSON reviver': [
      () => (JSON.parse('{"a":[1,{"b":3}]}', (_, v) => after(v)) as { a: number[] }).a.length,
      2,
    ],
    'in toJSON': [() => JSON.stringify({ toJSON: () => after({ x: 1 }) }), '{"x":1}'],
    'in a replace callback': [() => 'abc'.replace(/./g, (c) => after(c.toUpperCase())), 'ABC'],
    'in Array.from': [() => Array.from({ length: 3 }, (_, i) => after(i * i)).join(), '0,1,4'],
    'in a getter': [
      () =>
        ({
          get value() {
            return after(5);
          },
        }).value,
      5,
    ],
    'in a proxy trap': [
      () => (new Proxy({}, { get: (_, key) => after(key) }) as { hi: string }).hi,
      'hi',
    ],
    'in toString': [() => `${{ toString: () => after('text') }}`, 'text'],
    'in a class constructor': [
      () =>
        new (class {
          field = after(7);
          constructor() {
            after(0);
          }
        })().field,
      7,
    ],
    'in a generator': [
      () =>
        [
          ...(function* () {
            for (let i = 0; i < 3; i++) yield after(i);
          })(),
        ].join(),
      '0,1,2',
    ],
    'in Map.forEach': [
      () => {
        const seen: number[] = [];
        new Map([
          [1, 2],
          [3, 4],
        ]).forEach((value) => {
          seen.push(after(value));
        });
        return seen.join();
      },
      '2,4',
    ],
    'in try, catch and finally': [
      () => {
        const log: string[] = [];
        try {
          try {
            log.push(after('try'));
            throw new Error('thrown');
          } catch (error) {
            log.push(after((error as Error).message));
          } finally {
            log.push(after('finally'));
          }
        } finally {
          log.push('end');
        }
        return log.join();
      },
      'try,thrown,finally,end',
    ],
    'in the executor of a promise': [
      () => new Promise((resolve) => resolve(after(1))) instanceof Promise,
      true,
    ],
    'in Reflect.apply and bound functions': [
      () => Reflect.apply(((a: number) => after(a)).bind(null, 9), null, []),
      9,
    ],
  };

  /** Suspends, and goes on with `value`. */
  function after<T>(value: T): T {
    Fiber.suspend('parked');
    return value;
  }

  for (const [place, [work, expected]] of Object.entries(places)) {
    test(place, () => {
      const fiber = new Fiber(work);
      let parks = 0;
      let last = fiber.resume();
      for (; fiber.state === 'suspended'; last = fiber.resume()) {
        assert.equal(last, 'parked');
        parks++;
        if (parks % 2) collect();
        else collect({ type: 'minor' });
      }
      assert.equal(last, expected);
      assert.ok(parks > 0);
    });
  }
});
