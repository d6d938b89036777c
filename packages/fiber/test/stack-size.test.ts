/** How large stacks are, and what is left of one that was in use. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { Fiber, statistics } from '@tendril/fiber';
import { checkLeaksAfterAll, collect } from './helpers/leaks.js';
import { scriptPath } from './helpers/run-script.js';

checkLeaksAfterAll();

const MiB = 1024 * 1024;

/** What the stack of a fiber without options takes, in a process with these settings. */
const sizeWith = (flags: string[], size?: string) => {
  const program = `
    import { Fiber, statistics, support } from '@tendril/fiber';
    try {
      new Fiber(() => {}).resume();
      console.log(JSON.stringify(statistics().stackBytes));
    } catch (error) {
      console.log(JSON.stringify(error.code + ' ' + support.reason));
    }`;
  const env = { ...process.env, ...(size !== undefined && { TENDRIL_STACK_SIZE: size }) };
  const args = [...flags, '--input-type=module', '--eval', program];
  const cwd = new URL('..', import.meta.url);
  return JSON.parse(execFileSync(process.execPath, args, { env, cwd, encoding: 'utf8' }));
};

describe('the size of a stack', () => {
  test('is 8 MiB, as that of a main stack', () => assert.equal(sizeWith([]), 8 * MiB));
  test('is that of TENDRIL_STACK_SIZE', () => {
    assert.equal(sizeWith([], '262144'), 262_144);
    assert.equal(sizeWith([], ''), 8 * MiB);
  });
  for (const wrong of ['8MB', '0', '1e9', '-1'])
    test(`cannot be TENDRIL_STACK_SIZE=${wrong}`, () => {
      const said = sizeWith([], wrong);
      assert.match(
        said,
        /^ERR_FIBER_UNSUPPORTED TENDRIL_STACK_SIZE must be .* from 131072 to 67108864, and is /,
      );
    });
  test('follows `node --stack-size`', () => {
    assert.equal(sizeWith(['--stack-size=500']), 8 * MiB);
    assert.equal(sizeWith(['--stack-size=5000']), 16 * MiB);
  });

  const depthIn = (stackSize?: number) => {
    let depth = 0;
    const down = () => {
      depth++;
      down();
    };
    new Fiber(
      () => {
        try {
          down();
        } catch {
          // deep enough
        }
      },
      stackSize === undefined ? {} : { stackSize },
    ).resume();
    return depth;
  };
  test('gives JavaScript as much as the main stack does, and of what is more, all', () => {
    depthIn(); // compiled by then
    const [whole, small, double] = [depthIn(), depthIn(MiB), depthIn(16 * MiB)];
    assert.ok(small > 0.8 * whole && small < whole, `${small} of ${whole}`);
    assert.ok(double > 8 * whole, `${double} of ${whole}`);
  });
});

describe('where address space is short', () => {
  // What a process of Node itself takes differs from version to version.
  const used = Number(
    execFileSync(process.execPath, [
      '--input-type=module',
      '--eval',
      `import fs from 'node:fs'; console.log(fs.readFileSync('/proc/self/status', 'utf8').match(/VmPeak:\\s+(\\d+)/)[1])`,
    ]),
  );
  test('stacks are smaller, then refused, and nobody else is struck', () => {
    const args = ['-c', `ulimit -v ${used + 2_500_000}; exec "$0" --expose-gc "$1"`];
    const { stdout, stderr } = spawnSync(
      'sh',
      [...args, process.execPath, scriptPath('short-of-space.mjs')],
      { encoding: 'utf8' },
    );
    const { count, sizes, code, again, live } = JSON.parse(stdout || '{}');
    assert.equal(code, 'ERR_FIBER_NO_MEMORY', stderr);
    assert.ok(count > 1000, `${count} fibers`);
    assert.equal(sizes[0], 8 * MiB);
    assert.equal(sizes.at(-1), 262_144);
    assert.deepEqual([again, live], ['ran', 0]);
  });
});

describe('a stack that was deep', () => {
  const resident = () => process.memoryUsage.rss();
  const down = (depth: number): number => (depth > 0 ? 1 + down(depth - 1) : 0);
  const crowd = () =>
    Array.from({ length: 60 }, () => new Fiber(() => [down(6000), Fiber.suspend()]));

  test('gives its pages back at a full collection: parked or idle', () => {
    const fibers = crowd();
    const before = resident();
    for (const fiber of fibers) fiber.resume();
    const deep = resident() - before;
    collect();
    const parked = resident() - before;
    assert.ok(deep > 5 * MiB, `${deep} bytes`);
    assert.ok(parked < deep / 3, `${parked} of ${deep} while they are parked`);
    for (const fiber of fibers) fiber.resume();

    const { pooled } = statistics();
    const idle = crowd().slice(0, pooled);
    const start = resident();
    for (const fiber of idle) fiber.resume();
    for (const fiber of idle) fiber.resume();
    const held = resident() - start;
    collect();
    const left = resident() - start;
    assert.ok(held > 5 * MiB, `${held} bytes`);
    assert.ok(left < held / 3, `${left} of ${held} when they are idle`);
  });
});
