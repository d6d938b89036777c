/** Where programs park under the flag: told on demand, and refused in modules that must not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '@tendril/core';
import { patchAll } from '@tendril/core/monkey';
import { leaveNothing } from '../helpers.js';
import { programs, register, start } from './program.js';

leaveNothing();

const logger = 'node_modules/some.logger';
const at = programs({
  [`${logger}/index.js`]:
    "const fs = require('fs'); exports.log = () => fs.writeFileSync(process.argv[2], 'x'.repeat(2000));",
  'node_modules/some-logger/index.js': `module.exports = require('../some.logger');`,
  'app.cjs': `
    const fs = require('fs');
    const { log } = require('some.logger');
    let others = 0;
    setInterval(() => others++, 0).unref();
    function work() {
      log();
      return fs.readFileSync(process.argv[2], 'utf8').length;
    }
    for (let n = 0; n < 3; n++) work();
    console.log(work());
  `,
});

async function output(env: NodeJS.ProcessEnv): Promise<{ stdout: string; stderr: string }> {
  const { ended } = start(['--import', register, at('app.cjs'), at('out')], {
    env: { ...process.env, TENDRIL_FS_FROM: '1000', ...env },
  });
  const { stdout, stderr, code } = await ended;
  assert.equal(code, 0, stderr);
  assert.equal(stdout, '2000\n');
  return { stdout, stderr };
}

const parks = (stderr: string) => stderr.match(/^tendril: .* parks$/gm) ?? [];

test('each place is told once, with the stack that leads to it', async () => {
  const { stderr } = await output({ TENDRIL_TRACE_PARKS: '1' });
  assert.deepEqual(parks(stderr), [
    'tendril: writeFileSync() parks',
    'tendril: readFileSync() parks',
  ]);
  assert.match(stderr, /at exports\.log .*some\.logger[\s\S]*at work /);
});

test('nothing is told without', async () => {
  assert.equal((await output({})).stderr, '');
});

test('modules that must not park block', async () => {
  const env = { TENDRIL_TRACE_PARKS: '1', TENDRIL_BLOCK_IN: 'others,some.logger' };
  const { stderr } = await output(env);
  assert.ok(parks(stderr).length > 0);
  assert.ok(parks(stderr).every((line) => line === 'tendril: readFileSync() parks'));
});

test('settings that make no sense are refused', async () => {
  const { ended } = start(['--import', register, at('app.cjs'), at('out')], {
    env: { ...process.env, TENDRIL_FS_PARK: 'sometimes' },
  });
  assert.match((await ended).stderr, /fs\.park/);
  for (const blockIn of ['pino', [1], ['']])
    assert.throws(() => patchAll({ blockIn } as never), { code: 'ERR_INVALID_ARG' });
  await run(() => {});
});
