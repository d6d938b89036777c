/** Functions that become futures, and errors that nobody waits for. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Future as AnyFuture } from '@tendril/fibers/future';
import { Fiber, Future, inFiber, later, leaveNothing, suite, turn } from './helpers.js';

leaveNothing();

/** Takes the next uncaught exception, which the test runner would count as a failure. */
function nextUncaught(): Promise<unknown> {
  return new Promise((resolve) => {
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', (error) => {
      for (const listener of listeners) process.on('uncaughtException', listener);
      resolve(error);
    });
  });
}

suite('functions', () => {
  test('fn.future() runs in a fiber of its own, on the next tick', async () => {
    const log: string[] = [];
    const add = function (this: { base: number }, n: number) {
      log.push('started');
      assert.ok(Fiber.current);
      return this.base + n + later(1).wait();
    };
    const future = add.future().call({ base: 10 }, 5);
    log.push('called');
    assert.equal(await future.promise(), 16);
    assert.deepEqual(log, ['called', 'started']);
    assert.match(`${add.future()}`, /^<<Future function.*\.future\(\)>>$/s);
    assert.deepEqual(Object.keys(add), []);
    for (const name in add) assert.fail(`${name} can be enumerated`);
  });

  test('Future.task runs one or several', async () => {
    assert.equal(await Future.task(() => later('v').wait()).promise(), 'v');
    const all = Future.task(
      () => later(1, 2).wait(),
      () => 2,
    );
    assert.deepEqual(await all.promise(), [1, 2]);
    const failing = Future.task(
      () => later(1).wait(),
      () => {
        throw new Error('one of them');
      },
    );
    await assert.rejects(failing.promise(), { message: 'one of them' });
  });

  test(
    'Future.wrap wraps functions, and objects with their functions',
    inFiber(() => {
      const file = fileURLToPath(import.meta.url);
      assert.match(
        Future.wrap(fs.readFile as (...args: unknown[]) => unknown)(file, 'utf8').wait() as string,
        /assert/,
      );

      const text = Future.wrap(fs).readFileFuture(file, 'utf8').wait();
      assert.match(text, /assert/);

      type Callback = (error: unknown, ...values: unknown[]) => void;
      const object = {
        base: 1,
        add(n: number, callback: Callback) {
          callback(null, this.base + n, 'more');
          return 'at once';
        },
        fail: (callback: Callback) => callback(new Error('no')),
      };
      const future = Future.wrap(object).addFuture(2);
      assert.equal(future._, 'at once');
      assert.equal(future.wait(), 3);
      assert.equal(Future.wrap(object).base, 1);
      assert.throws(() => Future.wrap(object).failFuture().wait(), { message: 'no' });
      assert.deepEqual(Future.wrap(object, true, 'F').addF(2).wait(), [3, 'more']);
      const callable = Object.assign((callback: Callback) => callback(null, 'self'), {
        get: (callback: Callback) => callback(null, 'got'),
      });
      const wrapped = Future.wrap(callable) as unknown as {
        (): AnyFuture;
        getFuture(): AnyFuture;
      };
      assert.equal(wrapped().wait(), 'self');
      assert.equal(wrapped.getFuture().wait(), 'got');
    }),
  );
});

suite('errors that nobody waits for', () => {
  test('of a detached future go to the event loop', async () => {
    const uncaught = nextUncaught();
    const error = new Error('detached');
    Future.task(() => {
      later(0).wait();
      throw error;
    }).detach();
    assert.equal(await uncaught, error);
    const second = nextUncaught();
    const detached = (() => {
      throw error;
    }).future(true);
    (detached as () => unknown)();
    assert.equal(await second, error);
  });

  test('of a callback go to the event loop, and the others are called', async () => {
    const uncaught = nextUncaught();
    const log: string[] = [];
    const future = new Future();
    future.resolve(() => {
      throw new Error('callback');
    });
    future.resolve(() => log.push('the other'));
    future.return();
    assert.deepEqual(log, ['the other']);
    assert.match(String(await uncaught), /callback/);
  });

  test('of a future that is not detached are kept', async () => {
    const future = Future.task(() => {
      throw new Error('kept');
    });
    await turn();
    assert.throws(() => future.get(), { message: 'kept' });
  });
});
