import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { getHub } from '@tendril/core';
import { Fiber, leaveNothing, turn } from './helpers.js';

leaveNothing();

const collect = (globalThis as { gc?: () => void }).gc as () => void;

async function collectAndTurn(): Promise<void> {
  for (let i = 0; i < 5; i++) {
    collect();
    await turn();
  }
}

describe('a fiber that yields and that nothing can run any more', () => {
  test('is unwound as a zombie, which cannot yield and not block', async () => {
    const seen: unknown[] = [];
    (() => {
      for (let i = 0; i < 20; i++)
        Fiber(() => {
          try {
            Fiber.yield();
          } catch (error) {
            assert.throws(
              () => Fiber.yield(),
              (again) => again === error,
            );
            seen.push((error as Error).message, Fiber.current);
            throw error;
          }
        }).run();
    })();
    await collectAndTurn();
    // V8 may see a stale reference in a register or two.
    assert.ok(seen.length >= 36, `${seen.length / 2} of 20 were unwound`);
    assert.deepEqual(new Set(seen), new Set(['This Fiber is a zombie', undefined]));
    assert.throws(() => Fiber.yield(), { message: 'yield() called with no fiber running' });
  });

  test('may catch that, and run other fibers in its clean-up', async () => {
    const results: unknown[] = [];
    (() => {
      for (let i = 0; i < 20; i++)
        Fiber(() => {
          for (let round = 0; round < 30; round++) {
            try {
              Fiber.yield();
            } catch {
              const other = Fiber(() => Fiber.yield('of another'));
              if (round === 29) results.push(other.run(), other.run());
            }
          }
        }).run();
    })();
    await collectAndTurn();
    assert.ok(results.length >= 36, `${results.length / 2} of 20`);
    assert.deepEqual(new Set(results), new Set(['of another', undefined]));
  });

  test('is found although its own function refers to it, once that has ended its last use', async () => {
    let cleaned = 0;
    (() => {
      for (let i = 0; i < 20; i++) {
        const fiber = Fiber(() => {
          try {
            Fiber.yield();
          } finally {
            cleaned++;
          }
        });
        fiber.run();
        fiber.run();
        fiber.run();
      }
    })();
    await collectAndTurn();
    assert.ok(cleaned >= 35, `${cleaned} of 40`);
    assert.equal(getHub().taskCount, 0);
  });
});
