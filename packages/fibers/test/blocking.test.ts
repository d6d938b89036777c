/** Fibers that use what parks greenlets, and greenlets that use fibers. */
import assert from 'node:assert/strict';
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { test } from 'node:test';
import {
  canPark,
  Event,
  GreenletExit,
  getCurrent,
  Local,
  Queue,
  run,
  sleep,
  spawn,
  Timeout,
  wait,
  withTimeout,
} from '@tendril/core';
import { Fiber, Future, leaveNothing, suite, turn } from './helpers.js';

leaveNothing();

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

suite('a blocking call in a fiber', () => {
  test('goes back to run(), and the fiber goes on by itself', async () => {
    const log: unknown[] = [];
    const fiber = Fiber(() => {
      log.push('before');
      sleep(1);
      log.push(wait(Promise.resolve('value')), Fiber.current === fiber);
      return 'nobody gets this';
    });
    assert.equal(fiber.run(), undefined);
    log.push('run() has returned');
    assert.equal(fiber.started, true);
    await until(() => !fiber.started);
    assert.deepEqual(log, ['before', 'run() has returned', 'value', true]);
    assert.equal(Fiber.current, undefined);
  });

  test('does the same in a fiber that a greenlet runs', () =>
    run(() => {
      const done = new Event();
      const fiber = Fiber(() => {
        assert.notEqual(getCurrent(), self);
        sleep(1);
        done.set();
      });
      const self = getCurrent();
      assert.equal(fiber.run(), undefined);
      assert.equal(done.ready(), false);
      assert.equal(getCurrent(), self);
      done.wait();
    }));

  test('while it lasts the fiber is running', async () => {
    const gate = new Event();
    const fiber = Fiber(() => {
      gate.wait();
      return Fiber.yield('late');
    });
    fiber.run();
    assert.throws(() => fiber.run(), { message: 'This Fiber is already running' });
    for (const method of ['throwInto', 'reset'] as const)
      assert.throws(() => fiber[method](), { message: 'This Fiber is not yielding' });
    gate.set();
    await turn();
    await turn();
    assert.equal(fiber.run('end'), 'end');
  });

  test('and yields, in turn', () =>
    run(() => {
      const items = new Queue<number>();
      const seen: number[] = [];
      const fiber = Fiber(() => {
        for (;;) {
          seen.push(items.get());
          if (seen.length % 2 === 0) Fiber.yield();
        }
      });
      fiber.run();
      for (const item of [1, 2, 3, 4]) items.put(item);
      sleep(0);
      assert.deepEqual(seen, [1, 2]);
      fiber.run();
      assert.deepEqual(seen, [1, 2, 3, 4]);
      fiber.reset();
    }));

  test('fibers in fibers: one that blocks does not hold up the one that ran it', () =>
    run(() => {
      const log: string[] = [];
      const gates = { inner: new Event(), outer: new Event() };
      const inner = Fiber(() => {
        log.push('inner');
        gates.inner.wait();
        log.push('inner goes on');
      });
      const outer = Fiber(() => {
        inner.run();
        log.push('outer');
        gates.outer.wait();
        log.push('outer goes on');
        gates.inner.set();
      });
      outer.run();
      log.push('main');
      gates.outer.set();
      while (inner.started || outer.started) sleep(0);
      assert.deepEqual(log, ['inner', 'outer', 'main', 'outer goes on', 'inner goes on']);
    }));

  test('an error after it is an uncaught exception', async () => {
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const error = new Error('late');
    const uncaught = new Promise((resolve) => process.once('uncaughtException', resolve));
    const fiber = Fiber(() => {
      sleep(1);
      throw error;
    });
    fiber.run();
    assert.equal(await uncaught, error);
    for (const listener of listeners) process.on('uncaughtException', listener);
    assert.equal(fiber.started, false);
  });

  test('timeouts and kills reach it; a killed fiber ends silently', () =>
    run(() => {
      const log: unknown[] = [];
      Fiber(() => {
        log.push(withTimeout(1, () => sleep(10_000), { value: 'timed out' }));
      }).run();
      const fiber = Fiber(() => {
        const self = getCurrent();
        spawn(() => self?.kill());
        try {
          sleep(10_000);
        } catch (error) {
          log.push(error instanceof GreenletExit);
          throw error;
        }
      });
      fiber.run();
      while (fiber.started || log.length < 2) sleep(1);
      assert.deepEqual(new Set(log), new Set([true, 'timed out']));
    }));

  test('a timeout that strikes while the fiber yields is thrown when it is run again', () =>
    run(() => {
      let limit: Timeout | undefined;
      const fiber = Fiber(() => {
        limit = Timeout.startNew(1);
        Fiber.yield();
      });
      fiber.run();
      while (limit?.pending) sleep(1);
      assert.throws(
        () => fiber.run(),
        (error) => error === limit,
      );
    }));

  test('what is patched parks only where nobody waits in run()', () =>
    run(() => {
      const seen: boolean[] = [];
      const fiber = Fiber(() => {
        seen.push(canPark());
        sleep(0);
        seen.push(canPark());
      });
      fiber.run();
      seen.push(canPark());
      while (fiber.started) sleep(0);
      assert.deepEqual(seen, [false, true, true]);
    }));

  test('locals are of the fiber, over all its yields', () => {
    const local = new Local('initial');
    const fiber = Fiber(() => {
      local.set('of the fiber');
      Fiber.yield();
      return local.get();
    });
    fiber.run();
    assert.equal(local.get(), 'initial');
    assert.equal(fiber.run(), 'of the fiber');
  });

  test('contexts and scopes are kept', async () => {
    const storage = new AsyncLocalStorage<string>();
    const resource = storage.run('of the resource', () => new AsyncResource('Test'));
    const log: unknown[] = [];
    const fiber = Fiber(() => {
      storage.run('inner', () => {
        sleep(1);
        log.push(storage.getStore());
      });
      resource.runInAsyncScope(() => {
        sleep(1);
        log.push(storage.getStore());
        Fiber.yield();
        log.push(storage.getStore());
      });
      log.push(storage.getStore());
    });
    storage.run('of run()', () => {
      fiber.run();
      log.push(storage.getStore());
    });
    await until(() => log.length === 3);
    fiber.run();
    assert.deepEqual(log, ['of run()', 'inner', 'of the resource', 'of the resource', 'of run()']);
  });

  test('in a fiber that is reset, during its clean-up', () =>
    run(() => {
      const log: string[] = [];
      const fiber = Fiber(() => {
        try {
          Fiber.yield();
        } finally {
          sleep(1);
          log.push('cleaned');
        }
      });
      fiber.run();
      assert.equal(fiber.reset(), undefined);
      while (fiber.started) sleep(1);
      assert.deepEqual(log, ['cleaned']);
    }));
});

suite('greenlets', () => {
  test('resolve futures of fibers, and fibers wait for greenlets', () =>
    run(() => {
      const future = new Future<string>();
      const log: unknown[] = [];
      const fiber = Fiber(() => {
        log.push(future.wait());
        log.push(spawn(() => 'of a greenlet').get());
      });
      fiber.run();
      future.return('of a future');
      log.push('return() has returned');
      while (fiber.started) sleep(0);
      assert.deepEqual(log, ['of a future', 'return() has returned', 'of a greenlet']);
    }));

  test('a link that runs a fiber', async () => {
    const fiber = Fiber(() => {
      Fiber.yield();
      sleep(1);
    });
    fiber.run();
    const greenlet = spawn(() => sleep(0));
    greenlet.link(() => fiber.run());
    await run(() => {
      while (fiber.started) sleep(1);
    });
  });
});
