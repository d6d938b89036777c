import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Fiber, FiberError, statistics } from '@tendril/fiber';
import { checkLeaksAfterAll, collect, collectAndTurn } from './helpers/leaks.js';

checkLeaksAfterAll();

function isUnwound(error: unknown): boolean {
  return error instanceof FiberError && error.code === 'ERR_FIBER_UNWOUND';
}

describe('a fiber that nothing can resume', () => {
  test('is unwound: its finally blocks run', async () => {
    let cleaned = 0;
    (() => {
      for (let i = 0; i < 20; i++) {
        new Fiber(() => {
          try {
            Fiber.suspend();
          } finally {
            cleaned++;
          }
        }).resume();
      }
    })();
    await collectAndTurn(5);
    // V8 may see a stale reference in a register or two.
    assert.ok(cleaned >= 15, `${cleaned} of 20 were unwound`);
  });

  test('is dropped when it catches the error for ever', async () => {
    let caught = 0;
    (() => {
      for (let i = 0; i < 10; i++) {
        new Fiber(() => {
          for (;;) {
            try {
              Fiber.suspend();
            } catch (error) {
              assert.ok(isUnwound(error));
              caught++;
            }
          }
        }).resume();
      }
    })();
    await collectAndTurn(5);
    assert.ok(caught >= 16);
  });

  test('is found although its own frames and closures refer to it', async () => {
    let cleaned = 0;
    (() => {
      for (let i = 0; i < 20; i++) {
        const fiber: Fiber = new Fiber(() => {
          try {
            Fiber.suspend();
          } finally {
            // Only the clean-up could ever use it: the closure holds nothing before.
            cleaned++;
          }
        });
        fiber.resume();
      }
    })();
    await collectAndTurn(5);
    assert.ok(cleaned >= 15, `${cleaned} of 20 were unwound`);
  });

  test('may suspend in its clean-up, which then goes on at once', async () => {
    const log: string[] = [];
    (() => {
      for (let i = 0; i < 20; i++) {
        new Fiber(() => {
          try {
            Fiber.suspend();
          } catch (error) {
            assert.ok(isUnwound(error));
            try {
              Fiber.suspend('once more');
            } finally {
              log.push('cleaned');
            }
          }
        }).resume();
      }
    })();
    await collectAndTurn(5);
    assert.ok(log.length >= 15, `${log.length} of 20`);
  });

  test('is found when it suspends after its object was collected while it ran', async () => {
    const log: string[] = [];
    // The receiver of a call in progress is alive. So the first fiber transfers to one without a
    // name and is ended by it: no frame is left that holds the one that runs.
    function transferToNameless(first: Fiber): void {
      new Fiber(() => {
        try {
          first.resume();
          collect();
          collect();
          log.push(Fiber.current === undefined ? 'collected' : 'alive');
          Fiber.suspend('parked');
        } finally {
          log.push('unwound');
        }
      }).transfer();
    }
    const first: Fiber = new Fiber(() => transferToNameless(first));
    assert.equal(first.resume(), 'parked');
    assert.equal(first.state, 'done');
    await collectAndTurn(5);
    assert.equal(log.join(), 'collected,unwound');
  });

  test('gives its stack back: a thousand lost ones leave none alive', async () => {
    const before = statistics().live;
    (() => {
      for (let i = 0; i < 1000; i++) new Fiber(() => Fiber.suspend()).resume();
    })();
    assert.equal(statistics().live, before + 1000);
    await collectAndTurn(5);
    const { live } = statistics();
    assert.ok(live <= before + 2, `${live} are alive`);
  });
});
