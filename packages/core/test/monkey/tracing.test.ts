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
  'node_modules/commands/index.js': `
    const { execFileSync } = require('child_process');
    let current;
    exports.run = (name) => {
      current = name;
      return execFileSync('echo', [current], { encoding: 'utf8' });
    };`,
  'node_modules/commands/other.js': `exports.run = (name) => require('.').run(name);`,
  'commands.cjs': `
    const { run } = require('commands');
    run('a');
    require('commands/other').run('b');
    console.log('done');`,
  'node_modules/program/main.js': `
    const { execFileSync } = require('child_process');
    let current;
    function run(name) {
      current = name;
      execFileSync('true');
      return current;
    }
    console.log(run('done'));`,
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

async function told(program: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { ended } = start(['--import', register, at(program)], {
    env: { ...process.env, ...env },
  });
  const { stdout, stderr, code } = await ended;
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'done\n');
  return stderr;
}

test('a package that blocks for what it keeps is told once, with the reason and the way out', async () => {
  const file = at('node_modules/commands/index.js');
  assert.equal(
    await told('commands.cjs', { TENDRIL_TRACE_PARKS: '1' }),
    `tendril: commands blocks, for it may keep something between calls: ${file}:5 current = name\n` +
      "    patchAll({ parkIn: ['commands'] }), or TENDRIL_PARK_IN=commands, lets it park\n",
  );
  assert.equal(await told('commands.cjs', {}), '');
});

test('TENDRIL_PARK_IN lets it park', async () => {
  const env = { TENDRIL_TRACE_PARKS: '1', TENDRIL_PARK_IN: 'others,commands' };
  assert.deepEqual(parks(await told('commands.cjs', env)), ['tendril: execFileSync() parks']);
  const both = await told('commands.cjs', { ...env, TENDRIL_BLOCK_IN: 'commands' });
  assert.equal(both, '');
});

test('a program that is installed as a package is an application', async () => {
  const stderr = await told('node_modules/program/main.js', { TENDRIL_TRACE_PARKS: '1' });
  assert.deepEqual(parks(stderr), ['tendril: execFileSync() parks']);
});

test('settings that make no sense are refused', async () => {
  const { ended } = start(['--import', register, at('app.cjs'), at('out')], {
    env: { ...process.env, TENDRIL_FS_PARK: 'sometimes' },
  });
  assert.match((await ended).stderr, /fs\.park/);
  for (const name of ['blockIn', 'parkIn'])
    for (const value of ['pino', [1], ['']])
      assert.throws(() => patchAll({ [name]: value } as never), { code: 'ERR_INVALID_ARG' });
  await run(() => {});
});
