/** What takes a process of its own, and the ways in which the package is loaded. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as imported from '@tendril/fibers';
import * as importedFuture from '@tendril/fibers/future';
import { Fiber, Future, leaveNothing, runProgram } from './helpers.js';
import usage from './usage.cjs';

leaveNothing();

describe('a program', () => {
  test('process.exit() in a fiber', () => {
    assert.deepEqual(runProgram('exit.cjs'), { status: 7, signal: null, stdout: '', stderr: '' });
  });

  test('starts a child process in a fiber, and runs in a child process', () => {
    const { stdout, stderr } = runProgram('child.cjs');
    assert.equal(stdout, 'child: pass\n', stderr);
  });

  test('an error after a wait', () => {
    const { stdout, stderr } = runProgram('exception.cjs');
    assert.equal(stdout, 'caught\n', stderr);
  });

  test('ends although fibers yield and block', () => {
    const { stdout, status, stderr } = runProgram('parked.cjs');
    assert.equal(stdout, 'started true,true\n', stderr);
    assert.equal(status, 0);
  });

  test('with patched functions run() returns no sooner than without', () => {
    const register = ['--import', '@tendril/core/monkey/register'];
    for (const options of [[], register]) {
      const { stdout, stderr } = runProgram('patched.cjs', { TENDRIL_FS_PARK: 'all' }, options);
      assert.equal(
        stdout,
        `read before run() returned\n${options.length ? 'parked\n' : ''}`,
        stderr,
      );
    }
  });

  test('says where fibers are used, if asked', () => {
    const lines = runProgram('logged.cjs', { ENABLE_LOG_USE_FIBERS: '1' }).stderr;
    const use = (method: string) => `[FIBERS_LOG] Using ${method}.\n`;
    assert.equal(lines, use('Fiber.run') + use('Fiber.yield') + use('Fiber.run'));
    const { stderr } = runProgram('logged.cjs', {
      ENABLE_LOG_USE_FIBERS: '2',
      LOG_USE_FIBERS_INCLUDE_IN_PATH: 'logged.cjs:3',
    });
    assert.match(stderr, /^Error: \[FIBERS_LOG\] Using Fiber\.run\.\n {4}at .*logged\.cjs:3/s);
    assert.equal(stderr.split('Using').length, 2);
  });
});

describe('the package', () => {
  test('is the class itself for require() and the default for import, under every name', () => {
    assert.equal(imported.default, Fiber);
    assert.equal(importedFuture.default, Future);
    assert.equal(process.fiberLib, Fiber);
  });

  test('is typed as @types/fibers has it', () => {
    assert.deepEqual(usage.answers(), [1, 3, 'yielded', 'default']);
  });
});
