import assert from 'node:assert/strict';
import childProcess, { execSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { InvalidArgumentError } from '@tendril/core';
import {
  getOriginal,
  isPatched,
  patchAll,
  patchAtomics,
  patchChildProcess,
  patchFs,
  restore,
} from '@tendril/core/monkey';
import { leaveNothing } from '../helpers.js';
import { temporaryFolder } from '../io-helpers.js';

leaveNothing();
afterEach(() => restore());

const folder = temporaryFolder();
const require = createRequire(import.meta.url);
const core = path.dirname(fileURLToPath(import.meta.resolve('@tendril/core/package.json')));

/** Runs a program in a process of its own, in a folder that has @tendril/core. */
function runProgram(name: string, text: string, args: string[] = []) {
  const scope = path.join(folder, 'node_modules/@tendril');
  mkdirSync(scope, { recursive: true });
  try {
    symlinkSync(core, path.join(scope, 'core'));
  } catch {
    // it is there
  }
  writeFileSync(path.join(folder, name), text);
  return childProcess.spawnSync(process.execPath, [...args, path.join(folder, name)], {
    cwd: folder,
    encoding: 'utf8',
  });
}

describe('patching', () => {
  test('is undone by restore(), all or by module', () => {
    const original = childProcess.execSync;
    patchAll();
    assert.notEqual(childProcess.execSync, original);
    assert.equal(getOriginal('child_process', 'execSync'), original);
    assert.equal(getOriginal('node:child_process', 'execSync'), original);
    restore('node:child_process');
    assert.equal(childProcess.execSync, original);
    assert.equal(isPatched('child_process'), false);
    assert.equal(isPatched('fs'), true);
    restore();
    assert.equal(isPatched('fs'), false);
    assert.equal(getOriginal('child_process', 'execSync'), original);
  });

  test('twice is patching once', () => {
    const original = childProcess.execSync;
    patchChildProcess();
    const patched = childProcess.execSync;
    patchAll();
    assert.equal(childProcess.execSync, patched);
    restore();
    assert.equal(childProcess.execSync, original);
  });

  test('keeps what a function looks like', () => {
    const { name, length } = childProcess.execSync;
    patchChildProcess();
    assert.deepEqual([childProcess.execSync.name, childProcess.execSync.length], [name, length]);
  });

  test('is told of both names of a module, and of single functions', () => {
    patchFs();
    patchAtomics();
    for (const name of ['fs', 'node:fs']) {
      assert.equal(isPatched(name), true);
      assert.equal(isPatched(name, 'readFileSync'), true);
      assert.equal(isPatched(name, 'readFile'), false);
    }
    assert.equal(isPatched('Atomics', 'wait'), true);
    assert.equal(isPatched('child_process'), false);
    assert.throws(() => getOriginal('fs', 'noSuchFunction'), InvalidArgumentError);
  });

  test('reaches named imports, which stand before it', () => {
    const original = execSync;
    patchChildProcess();
    assert.notEqual(execSync, original);
    assert.equal(execSync, require('node:child_process').execSync);
    restore();
    assert.equal(execSync, original);
  });

  test('leaves what somebody else has put in its place since', () => {
    patchChildProcess();
    const original = getOriginal<typeof execSync>('child_process', 'execSync');
    const theirs = (() => 'theirs') as never;
    childProcess.execSync = theirs;
    restore();
    assert.equal(childProcess.execSync, theirs);
    childProcess.execSync = original;
  });

  test('refuses parts that do not exist, and leaves out those that are false', () => {
    assert.throws(() => patchAll({ nonsense: true } as never), InvalidArgumentError);
    assert.equal(isPatched('fs'), false);
    patchAll({ fs: false, dns: false });
    assert.equal(isPatched('fs'), false);
    assert.equal(isPatched('dns'), false);
    assert.equal(isPatched('timers/promises', 'scheduler.wait'), true);
    assert.equal(isPatched('events', 'once'), true);
  });

  test('is done once by two copies of the package in one process', () => {
    const { stdout, stderr } = runProgram(
      'copies.mjs',
      `import childProcess from 'node:child_process';
       const entry = import.meta.resolve('@tendril/core/monkey');
       const one = await import(entry);
       const other = await import(entry + '?copy');
       const original = childProcess.execSync;
       one.patchAll();
       const patched = childProcess.execSync;
       other.patchAll();
       console.log(original !== patched, patched === childProcess.execSync);
       const registry = new URL('./registry.js', entry).href;
       const copy = await import(registry + '?copy');
       copy.replace('child_process', 'execSync', () => () => 'copy');
       console.log(patched === childProcess.execSync, copy.isPatched('child_process'));
       one.restore();
       console.log(original === childProcess.execSync);`,
    );
    assert.deepEqual([stdout, stderr], ['true true\ntrue false\ntrue\n', '']);
  });
});

describe('patching too late', () => {
  const taking = `const { execSync } = require('node:child_process');`;
  const late = `require('@tendril/core/monkey').patchAll();`;

  test('is said once, with the names of the modules', () => {
    writeFileSync(path.join(folder, 'taker.cjs'), taking);
    const { stderr, status } = runProgram('late.cjs', `require('./taker.cjs'); ${late} ${late}`);
    assert.equal(status, 0, stderr);
    assert.equal(stderr.match(/TENDRIL_PATCHED_LATE/g)?.length, 1, stderr);
    assert.match(stderr, /taker\.cjs/);
  });

  test('is not said of modules that take nothing, or are loaded afterwards', () => {
    writeFileSync(path.join(folder, 'harmless.cjs'), `require('node:fs').existsSync('/');`);
    writeFileSync(path.join(folder, 'taker.cjs'), taking);
    const program = `require('./harmless.cjs'); ${late} require('./taker.cjs');`;
    const { stderr, status } = runProgram('early.cjs', program);
    assert.deepEqual([stderr, status], ['', 0]);
  });

  test('is not said with --import, and the main module parks', () => {
    const program = `
      const { execSync } = require('child_process');
      const { spawn, joinall } = require('@tendril/core');
      const order = [];
      const child = spawn(() => { execSync('sleep 0.2'); order.push('child'); });
      const other = spawn(() => order.push('other'));
      joinall([child, other]);
      console.log(order.join());`;
    const { stdout, stderr } = runProgram('main.cjs', program, [
      '--import',
      '@tendril/core/monkey/register',
    ]);
    assert.deepEqual([stdout, stderr], ['other,child\n', '']);
  });
});
