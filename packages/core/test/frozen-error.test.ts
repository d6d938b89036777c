/** Programs whose `Error` is frozen: how long traces are cannot be set there. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { leaveNothing } from './helpers.js';

leaveNothing();

const program = `
  import { execSync } from 'node:child_process';
  import { run, sleep, spawn, Timeout, wait, withTimeout } from '@tendril/core';
  import { patchAll } from '@tendril/core/monkey';
  if (process.argv[1] === 'freeze') Object.freeze(Error);
  patchAll();
  await run(() => {
    const failed = spawn(() => wait(Promise.reject(new RangeError('from afar'))));
    const late = () => withTimeout(1, () => sleep(1000));
    const codes = [() => failed.get(), late, () => new Timeout(-1), () => execSync('exit 3', { stdio: 'pipe' })].map(
      (call) => {
        try {
          return call();
        } catch (error) {
          return error.code ?? error.status ?? error.name;
        }
      },
    );
    console.log(JSON.stringify([spawn(() => (sleep(1), 'works')).get(), ...codes]));
  });`;

for (const [name, flags, args] of [
  ['Object.freeze(Error)', [], ['freeze']],
  ['--frozen-intrinsics', ['--frozen-intrinsics'], []],
] as const)
  test(`${name}: all goes on`, () => {
    const printed = execFileSync(
      process.execPath,
      [...flags, '--no-warnings', '--input-type=module', '--eval', program, ...args],
      { encoding: 'utf8', cwd: new URL('..', import.meta.url) },
    );
    assert.deepEqual(JSON.parse(printed), [
      'works',
      'RangeError',
      'ERR_TIMEOUT',
      'ERR_INVALID_ARG',
      3,
    ]);
  });
