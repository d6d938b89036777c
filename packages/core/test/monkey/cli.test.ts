/** The command `tendril`. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { programs, start, tendril } from './program.js';

const file = programs({
  'parks.cjs': `
    const fs = require('node:fs');
    let turned = false;
    setImmediate(() => { turned = true; });
    while (!turned) fs.statSync('.');
    console.log(process.argv.slice(1).join(), process.execArgv.includes('--no-deprecation'));`,
  'code.cjs': 'process.exitCode = 42;',
  'input.cjs': 'process.stdin.pipe(process.stdout);',
  'waits.cjs': 'setInterval(() => {}, 1000); console.log("ready");',
  'stops.cjs': `
    process.once('SIGTERM', () => { console.log('stopping'); process.exit(7); });
    setInterval(() => {}, 1000);
    console.log('ready');`,
  'killed.cjs': 'process.kill(process.pid, "SIGKILL");',
});

const run = (args: string[], options?: { input?: string }) =>
  start([tendril, ...args], options).ended;

describe('tendril', { concurrency: 2 }, () => {
  it('runs a program in a greenlet', async () => {
    const { stdout, code } = await run([file('parks.cjs'), '--version', 'b']);
    assert.deepEqual([stdout, code], [`${file('parks.cjs')},--version,b false\n`, 0]);
  });

  it("takes Node's options", async () => {
    const { stdout, code } = await run(['--no-deprecation', file('parks.cjs')]);
    assert.deepEqual([stdout, code], [`${file('parks.cjs')} true\n`, 0]);
  });

  it('ends with the exit code of the program', async () => {
    assert.equal((await run([file('code.cjs')])).code, 42);
  });

  it('hands over its input', async () => {
    const { stdout } = await run([file('input.cjs')], { input: 'through' });
    assert.equal(stdout, 'through');
  });

  it('says what it is', async () => {
    const { stdout, code } = await run(['--help']);
    assert.equal(code, 0);
    assert.match(stdout, /^usage: tendril \[node options\] program\.js/);
    const manifest = new URL('../../package.json', import.meta.url);
    const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
    const shown = await run(['--version']);
    assert.equal(shown.stdout, `tendril ${version} (Node.js ${process.version})\n`);
  });

  it('without a program says how it is used, with exit code 9', async () => {
    const { stdout, stderr, code } = await run([]);
    assert.deepEqual([stdout, code], ['', 9]);
    assert.match(stderr, /^usage: /);
  });

  it('refuses an unknown option in the words of Node, with its exit code', async () => {
    const { stderr, code } = await run(['--never-heard-of', file('code.cjs')]);
    assert.equal(code, 9);
    assert.match(stderr, /: bad option: --never-heard-of\n/);
  });

  it('names a file that is not there', async () => {
    const { stderr, code } = await run([file('missing.js')]);
    assert.equal(code, 1);
    assert.match(stderr, /Cannot find module .*missing\.js/);
  });
});

describe('signals to tendril', { skip: process.platform === 'win32' }, () => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    it(`${signal} ends it as it ends the program`, async () => {
      const { child, said, ended } = start([tendril, file('waits.cjs')]);
      await said('ready');
      child.kill(signal);
      assert.equal((await ended).signal, signal);
    });

  it('go to the program, which may handle them', async () => {
    const { child, said, ended } = start([tendril, file('stops.cjs')]);
    await said('ready');
    child.kill('SIGTERM');
    const { stdout, code } = await ended;
    assert.deepEqual([stdout, code], ['ready\nstopping\n', 7]);
  });

  it('a signal that ends the program ends tendril', async () => {
    const { child, ended } = start([tendril, file('killed.cjs')]);
    await once(child, 'exit');
    assert.equal((await ended).signal, 'SIGKILL');
  });
});
