/** Fibers, async contexts and the event loop. */
import assert from 'node:assert/strict';
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { test } from 'node:test';
import { Fiber, leaveNothing, suite, turn } from './helpers.js';

leaveNothing();

suite('beside async code', () => {
  test('may yield in an AsyncResource scope, and go on in another turn', async () => {
    const storage = new AsyncLocalStorage<string>();
    const resource = storage.run('of the resource', () => new AsyncResource('Test'));
    const log: unknown[] = [];
    const fiber = Fiber(() => {
      resource.runInAsyncScope(() => {
        log.push(storage.getStore());
        Fiber.yield();
        log.push(storage.getStore());
      });
      log.push(storage.getStore());
    });
    storage.run('of the runner', () => fiber.run());
    await turn();
    fiber.run();
    assert.deepEqual(log, ['of the resource', 'of the resource', 'of the runner']);
  });

  test('keeps an AsyncLocalStorage context of its own', async () => {
    const storage = new AsyncLocalStorage<string>();
    const log: unknown[] = [];
    const fiber = Fiber(() => {
      for (;;) {
        log.push(storage.getStore());
        storage.run('inner', () => {
          Fiber.yield();
          log.push(storage.getStore());
        });
      }
    });
    storage.run('first', () => {
      fiber.run();
      log.push(storage.getStore());
    });
    await turn();
    storage.run('second', () => {
      fiber.run();
      log.push(storage.getStore());
    });
    assert.equal(storage.getStore(), undefined);
    assert.deepEqual(log, ['first', 'first', 'inner', 'first', 'second']);
    fiber.reset();
  });

  test('goes on from timers, ticks and promises', async () => {
    const log: string[] = [];
    await new Promise<void>((resolve) => {
      Fiber(() => {
        const self = Fiber.current;
        process.nextTick(() => self?.run('tick'));
        log.push(Fiber.yield());
        setTimeout(() => self?.run('timer'), 1);
        log.push(Fiber.yield());
        Promise.resolve().then(() => self?.run('promise'));
        log.push(Fiber.yield());
        resolve();
      }).run();
    });
    assert.deepEqual(log, ['tick', 'timer', 'promise']);
  });
});
