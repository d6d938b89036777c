/** Fibers inside calls of native addons, whose handle scopes N-API counts per addon and not per stack. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { Fiber, pinnedBy } from '@tendril/fiber';
import { checkLeaksAfterAll } from './helpers/leaks.js';
import { scriptPath } from './helpers/run-script.js';

checkLeaksAfterAll();

const folder = mkdtempSync(path.join(tmpdir(), 'tendril-addon-'));
after(() => rmSync(folder, { recursive: true }));

type InScope = (fn: () => void) => void;

function addon(name: string): InScope {
  const file = path.join(folder, `${name}.node`);
  const include = path.resolve(process.execPath, '../../include/node');
  const args = ['-shared', '-fPIC', `-I${include}`, '-o', file, scriptPath('in-scope.c')];
  execFileSync(process.env.CC ?? 'cc', args);
  return createRequire(import.meta.url)(file) as InScope;
}

const inScope = addon('one');
const inAnother = addon('another');
const shared = { code: 'ERR_FIBER_ADDON_SCOPE' };

/** Parked inside a call of the addon, if it can be. */
const parked = (call: InScope) => {
  const fiber = new Fiber(() => {
    call(() => Fiber.suspend('inside'));
    return 'ended';
  });
  return [fiber, fiber.resume()] as const;
};

describe('a fiber inside a call of a native addon', () => {
  test('is suspended there, if it is alone', () => {
    const [fiber, value] = parked(inScope);
    assert.equal(value, 'inside');
    assert.equal(fiber.resume(), 'ended');
  });

  test('is not suspended where another one is parked in the same addon, and either may go on', () => {
    const [first] = parked(inScope);
    const second = new Fiber(() => {
      const seen: unknown[] = [];
      inScope(() => {
        seen.push(pinnedBy());
        assert.throws(() => Fiber.suspend(), shared);
        assert.throws(() => first.transfer(), shared);
      });
      Fiber.suspend(seen);
      inScope(() => Fiber.suspend('now'));
      return 'second';
    });
    assert.deepEqual(second.resume(), [
      'it is inside a call of a native addon that another one is parked in, which allows one at a time',
    ]);
    assert.equal(first.resume(), 'ended');
    assert.equal(second.resume(), 'now');
    assert.equal(second.resume(), 'second');
  });

  test('many of them: one after the other, in any order', () => {
    const fibers = Array.from({ length: 50 }, (_, i) => {
      const fiber = new Fiber(() => {
        for (let round = 0; round < 20; ) {
          const was = round;
          inScope(() => {
            try {
              Fiber.suspend();
              round++;
            } catch (error) {
              assert.equal((error as { code?: string }).code, shared.code);
            }
          });
          if (round === was || (i + round) % 3 === 0) Fiber.suspend();
        }
        return i;
      });
      return fiber;
    });
    for (let left = fibers; left.length > 0; left = left.filter((fiber) => fiber.state !== 'done'))
      for (const fiber of left) fiber.resume();
  });

  test('may be parked in another addon than others', () => {
    const [first, one] = parked(inScope);
    const [second, other] = parked(inAnother);
    assert.deepEqual([one, other], ['inside', 'inside']);
    assert.equal(first.resume(), 'ended');
    assert.equal(second.resume(), 'ended');
  });

  test('cannot leave who has resumed it from inside the same addon, nor be resumed there', () => {
    const [outside] = parked(inScope);
    let refused = 0;
    outside.resume();
    const [again] = parked(inScope);
    inScope(() => {
      assert.throws(() => again.resume(), shared);
      refused++;
    });
    assert.equal(again.state, 'suspended');
    assert.equal(again.resume(), 'ended');
    inScope(() => {
      const inner = new Fiber(() => {
        inScope(() => {
          assert.throws(() => Fiber.suspend(), shared);
          refused++;
        });
        return Fiber.suspend('outside of it');
      });
      assert.equal(inner.resume(), 'outside of it');
      inner.resume();
    });
    assert.equal(refused, 2);
  });

  test('one that is thrown into leaves it as ever', () => {
    const [fiber] = parked(inScope);
    assert.throws(() => fiber.throw(new Error('out')), /out/);
    const [next, value] = parked(inScope);
    assert.equal(value, 'inside');
    next.resume();
  });

  test('process.dlopen looks as it did', () => {
    assert.equal(process.dlopen.name, 'dlopen');
    assert.throws(() => process.dlopen({ exports: {} }, '/nowhere.node'), {
      code: 'ERR_DLOPEN_FAILED',
    });
  });
});
