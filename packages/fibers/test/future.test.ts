import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, Timeout, wait } from '@tendril/core';
import type { Future as AnyFuture } from '@tendril/fibers/future';
import { Fiber, Future, inFiber, later, leaveNothing, suite } from './helpers.js';

leaveNothing();

suite('waiting', () => {
  test(
    'wait() gives the value or throws the error',
    inFiber(() => {
      assert.equal(later('v').wait(), 'v');
      const error = new Error('e');
      const failed = new Future();
      setTimeout(() => failed.throw(error), 1);
      assert.throws(
        () => failed.wait(),
        (thrown) => thrown === error,
      );
      assert.equal(Future.fromPromise(Promise.resolve(3)).wait(), 3);
    }),
  );

  test('run() returns at a wait', async () => {
    const log: string[] = [];
    const future = new Future();
    Fiber(() => {
      future.wait();
      log.push('waited');
    }).run();
    log.push('after run()');
    future.return();
    assert.deepEqual(log, ['after run()', 'waited']);
  });

  test(
    'Future.wait waits for several, arrays of them too, and throws none of their errors',
    inFiber(() => {
      const failed = new Future();
      setTimeout(() => failed.throw(new Error('e')), 1);
      const all = [later(1, 3), later(2, 1)];
      const last = later(3, 2);
      Future.wait(all, last, failed);
      assert.deepEqual(
        [...all, last].map((future) => future.get()),
        [1, 2, 3],
      );
      Future.wait();
      Future.wait(last);
      assert.throws(() => failed.get(), { message: 'e' });
    }),
  );

  test(
    'a task that has not started runs in the fiber that waits for it',
    inFiber(() => {
      const self = Fiber.current;
      const task = Future.task(() => {
        later(0).wait();
        return Fiber.current;
      });
      const other = Future.task(() => Fiber.current);
      Future.wait(task, other);
      assert.equal(task.get(), self);
      assert.notEqual(other.get(), self);
    }),
  );

  test('in a greenlet parks the greenlet, and ends with it', () =>
    run(() => {
      assert.equal(Fiber.current, undefined);
      assert.equal(later('v').wait(), 'v');
      Future.wait(
        [later(1)],
        Future.task(() => later(2).wait()),
      );
      const never = new Future();
      const limit = Timeout.startNew(5);
      assert.throws(
        () => never.wait(),
        (error) => error === limit,
      );
      never.return();
      assert.throws(() => Fiber.yield(), { message: 'yield() called with no fiber running' });
    }));

  test('elsewhere it is an error', () => {
    const future = new Future();
    assert.throws(() => future.wait(), { name: 'Error', message: "Can't wait without a fiber" });
    const wrong = () => Future.wait('x' as never);
    assert.throws(wrong, { name: 'Error', message: 'x is not a future' });
    assert.throws(() => Future.wait([3] as never), { message: '3 is not a future' });
    future.return(1);
    assert.equal(future.wait(), 1);
  });
});

suite('a future', () => {
  test('is resolved once', () => {
    const future = new Future<number>();
    assert.equal(future.isResolved(), false);
    assert.throws(() => future.get(), { message: 'Future must resolve before value is ready' });
    assert.throws(() => future.throw(undefined), { message: 'Must throw non-empty error' });
    future.return(1);
    assert.equal(future.isResolved(), true);
    assert.equal(future.get(), 1);
    const twice = { name: 'Error', message: 'Future resolved more than once' };
    assert.throws(() => future.return(2), twice);
    assert.throws(() => future.throw(new Error('x')), twice);
  });

  test('tells all that wait, in order, before return() returns', () => {
    const log: unknown[] = [];
    const target = new Future();
    for (const value of [new Future(), new Future()]) {
      value
        .resolve((error, result) => log.push([error, result]))
        .resolve(target, (result) => log.push(result))
        .resolveSuccess((result) => log.push(result));
      if (log.length === 0) value.return('v');
      else value.throw('e');
    }
    assert.deepEqual(log, [[undefined, 'v'], 'v', 'v', ['e', undefined]]);
    assert.throws(
      () => target.get(),
      (error) => error === 'e',
    );
    target.resolve((error) => log.push(error));
    assert.equal(log.at(-1), 'e');
  });

  test('resolver(), proxy(), proxyErrors() and promise()', async () => {
    const [one, two, three, four] = [new Future(), new Future(), new Future(), new Future()];
    one.proxy(two);
    one.proxyErrors([three, four]);
    one.resolver()('bad', undefined);
    for (const future of [two, three, four])
      assert.throws(
        () => future.get(),
        (error) => error === 'bad',
      );
    const good = new Future();
    const copy = new Future();
    good.proxy(copy);
    good.resolver()(null, 'good');
    assert.equal(copy.get(), 'good');
    assert.equal(await good.promise(), 'good');
    await assert.rejects(two.promise(), (error) => error === 'bad');
    const rejected = Future.fromPromise(Promise.reject(new Error('no')));
    await assert.rejects(rejected.promise(), { message: 'no' });
    const twice = Future.fromPromise({
      // biome-ignore lint/suspicious/noThenProperty: a thenable that does not keep the rules
      then: ((resolve: (value: unknown) => void) => {
        resolve(Promise.resolve('first'));
        resolve('second');
        throw new Error('late');
      }) as never,
    });
    assert.equal(await twice.promise(), 'first');
  });

  test('the error has the stacks of both sides', () => {
    const failed = new Future();
    (function origin() {
      failed.throw(new TypeError('two\nlines'));
    })();
    for (const place of ['first', 'second']) {
      const getter = { [place]: () => failed.get() }[place] as () => void;
      try {
        getter();
        assert.fail('no error');
      } catch (error) {
        const { stack = '' } = error as Error;
        assert.match(stack, /^TypeError: two\nlines\n {4}at /);
        const [local = '', original = ''] = stack.split('\n    - - - - -\n');
        assert.match(local, new RegExp(`at .*${place}`));
        assert.match(original, /^ {4}at .*origin/);
      }
    }
    const frozen = new Future();
    frozen.throw(Object.freeze(new Error('frozen')));
    assert.throws(() => frozen.get(), { message: 'frozen' });
  });

  test('can be inherited from in the old way', () => {
    function Mine(this: object) {
      (Future as unknown as () => void).call(this);
    }
    Object.setPrototypeOf(Mine.prototype, Future.prototype);
    const mine = new (Mine as unknown as new () => AnyFuture)();
    mine.return(1);
    assert.ok(mine instanceof Future);
    assert.equal(mine.get(), 1);
  });
});

test('promises of futures can be waited for in greenlets', () =>
  run(() => assert.equal(wait(later(5).promise()), 5)));
