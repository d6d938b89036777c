/** Packages that keep state between calls are not left in the midst of one. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { afterEach, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { joinall, spawn } from '@tendril/core';
import { patchAll } from '@tendril/core/monkey';
import { assertNoSwitch, assertSwitches } from '@tendril/core/testing';
import { leaveNothing } from '../helpers.js';
import { inRealTime } from '../io-helpers.js';
import { programs } from './program.js';

leaveNothing();
patchAll({ fs: { park: 'all' } });
afterEach(() => patchAll({ fs: { park: 'all' }, blockIn: [], parkIn: [] }));

/** As shelljs does: what is at hand is in an object of a module, and others read it after the call. */
const common = 'exports.state = {};';
const shell = `
  const { execFileSync } = require('child_process');
  const common = require('./common');
  exports.run = (name, work = () => execFileSync('true')) => {
    common.state.current = name;
    work();
    return common.state.current;
  };`;
const cached = `
  const fs = require('fs');
  let own, calls = 0;
  const cache = {};
  exports.run = (name, work = () => fs.readFileSync(__filename)) => {
    own ??= work();
    calls++;
    cache[name] = work();
    return name;
  };`;

const at = programs({
  'node_modules/shell/common.js': common,
  'node_modules/shell/index.js': shell,
  'node_modules/@scope/shell/common.js': common,
  'node_modules/@scope/shell/index.js': shell,
  'node_modules/outer/node_modules/shell/common.js': common,
  'node_modules/outer/node_modules/shell/index.js': shell,
  'node_modules/modern/package.json': '{ "type": "module" }',
  'node_modules/modern/index.js': `
    import { execFileSync } from 'node:child_process';
    import { state } from './state.js';
    export function run(name, work = () => execFileSync('true')) {
      state.current = name;
      work();
      return state.current;
    }`,
  'node_modules/modern/state.js': 'export const state = {};',
  'node_modules/cached/index.js': cached,
  'node_modules/future/index.js': `
    const fs = require('fs');
    exports.run = (name) => { fs.readFileSync(__filename); return name; };
    if (process.future) require('./future');`,
  'node_modules/future/future.js': '@decorated class Future {}',
  'node_modules/deep/index.js': `
    let current;
    exports.run = (name, work) => { current = name; down(100, work); return current; };
    const down = (depth, work) => depth ? down(depth - 1, work) : work();`,
  'node_modules/plain/index.js': `
    exports.down = (depth, work) => depth ? exports.down(depth - 1, work) : work();
    exports.made = new Function('work', 'return work()');`,
  'node_modules/parts/index.js': `
    const fs = require('fs');
    const path = require('path');
    const { execFileSync, execSync, spawnSync } = require('child_process');
    const crypto = require('crypto');
    const { gzipSync } = require('zlib');
    let current;
    exports.run = (name) => { current = name; execSync(name); return current; };
    exports.lookAt = (file) => fs.statSync(file).size;
    const at = (name) => path.join(__dirname, name);
    exports.calls = {
      'a file that is read': () => fs.readFileSync(__filename),
      'a file that is written': () => fs.writeFileSync(at('written'), 'text'),
      'bytes of a file': () => {
        const fd = fs.openSync(__filename, 'r');
        fs.readSync(fd, Buffer.alloc(10));
        fs.readvSync(fd, [Buffer.alloc(10)]);
        fs.closeSync(fd);
      },
      'a stat': () => fs.statSync(__filename),
      'a copy': () => fs.copyFileSync(__filename, at('copy')),
      'a tree that is read': () => fs.readdirSync(__dirname, { recursive: true }),
      'a tree that is copied': () => fs.cpSync(__dirname, at('../copied'), { recursive: true }),
      'a tree that is removed': () => {
        fs.mkdirSync(at('tree/deep'), { recursive: true });
        fs.rmSync(at('tree'), { recursive: true });
      },
      'a device': () => { fs.readFileSync('/dev/null'); fs.writeFileSync('/dev/null', 'text'); },
      'spawnSync': () => spawnSync('true'),
      'execSync': () => execSync('true'),
      'execFileSync': () => execFileSync('true'),
      'a key from a password': () => crypto.pbkdf2Sync('password', 'salt', 1, 16, 'sha256'),
      'many random bytes': () => crypto.randomBytes(100000),
      'a buffer filled at random': () => crypto.randomFillSync(Buffer.alloc(100000)),
      'much to pack': () => gzipSync(Buffer.alloc(20000)),
      'a wait for another thread': () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5),
    };`,
  'node_modules/calling/index.js': `exports.run = (name) => require('shell').run(name);`,
});
const require = createRequire(at('app.cjs'));

interface Library {
  run(name: string, work?: () => unknown): string;
}
const load = (name: string) => require(name) as Library;
const importAt = (name: string) => import(pathToFileURL(at(name)).href) as Promise<Library>;

/** What each of five gets who are in a library at the same time. */
function atOnce({ run }: Library): string[] {
  const greenlets = Array.from('abcde', (name) => spawn(() => run(name)));
  joinall(greenlets, { raiseError: true });
  return greenlets.map((greenlet) => greenlet.get());
}

const own = ['a', 'b', 'c', 'd', 'e'];
const mixed = ['e', 'e', 'e', 'e', 'e'];

describe('a package that keeps state between calls', () => {
  for (const name of ['shell', '@scope/shell', 'calling'])
    test(
      `blocks: ${name}`,
      inRealTime(() => {
        assertNoSwitch(() => load(name).run('a'));
        assert.deepEqual(atOnce(load(name)), own);
      }),
    );

  test('blocks as an ES module, too', async () => {
    const modern = await importAt('node_modules/modern/index.js');
    await inRealTime(() => {
      assertNoSwitch(() => modern.run('a'));
      assert.deepEqual(atOnce(modern), own);
    })();
  });

  test(
    'blocks where nothing of the application is on the stack',
    inRealTime(() => {
      const { run } = load('shell');
      const greenlets = own.map((name) => spawn(run, name));
      joinall(greenlets, { raiseError: true });
      assert.deepEqual(
        greenlets.map((greenlet) => greenlet.get()),
        own,
      );
    }),
  );

  test(
    'blocks in the depth of its own calls, and of others',
    inRealTime(() => {
      const { down, made } = require('plain');
      const read = createRequire(at('node_modules/plain/index.js'))('fs').readFileSync;
      const file = at('node_modules/shell/index.js');
      assertNoSwitch(() => load('deep').run('a', read.bind(fs, file)));
      assertNoSwitch(() => load('shell').run('a', down.bind(null, 100, read.bind(fs, file))));
      assertNoSwitch(() => load('shell').run('a', made.bind(null, read.bind(fs, file))));
    }),
  );

  test(
    'blocks when it cannot be understood',
    inRealTime(() => {
      assertNoSwitch(() => load('future').run('a'));
    }),
  );

  test(
    'parks in what it calls of the application',
    inRealTime(() => {
      const { run } = load('shell');
      assertSwitches(() => run('a', () => execFileSync('true')));
      const runs = () => assertSwitches(() => fs.readFileSync(at('node_modules/shell/index.js')));
      assert.equal(run('a', runs), 'a');
    }),
  );

  test(
    'parks by parkIn, and blocks again without',
    inRealTime(() => {
      patchAll({ fs: { park: 'all' }, parkIn: ['shell'] });
      assertSwitches(() => load('shell').run('a'));
      assert.deepEqual(atOnce(load('shell')), mixed);
      assert.deepEqual(atOnce(load('@scope/shell')), own);
      patchAll({ fs: { park: 'all' }, parkIn: ['@scope/shell', 'modern'] });
      assertSwitches(() => load('@scope/shell').run('a'));
      assert.deepEqual(atOnce(load('shell')), own);
    }),
  );
});

describe('a package that keeps none', () => {
  test(
    'parks, whatever it has filled or counted',
    inRealTime(() => {
      assertSwitches(() => load('cached').run('a'));
      assertSwitches(() => load('cached').run('a'));
      assert.deepEqual(atOnce(load('cached')), own);
    }),
  );

  test(
    'blocks by blockIn, which goes before parkIn, with what it has called',
    inRealTime(() => {
      patchAll({ fs: { park: 'all' }, blockIn: ['cached'], parkIn: ['cached'] });
      assertNoSwitch(() => load('cached').run('a'));
      assertNoSwitch(() => load('cached').run('a', () => execFileSync('true')));
      assertSwitches(() => execFileSync('true'));
    }),
  );

  test('is told by what stands behind the last node_modules', async () => {
    const inner = require(at('node_modules/outer/node_modules/shell/index.js')) as Library;
    await inRealTime(() => {
      patchAll({ fs: { park: 'all' }, parkIn: ['outer'] });
      assertNoSwitch(() => inner.run('a'));
      patchAll({ fs: { park: 'all' }, parkIn: ['shell'] });
      assertSwitches(() => inner.run('a'));
    })();
  });
});

describe('every part asks', () => {
  const { calls } = require('parts') as { calls: Record<string, () => unknown> };
  for (const [name, call] of Object.entries(calls))
    test(
      name,
      inRealTime(() => {
        patchAll({ fs: { park: 'all' }, parkIn: ['parts'] });
        assertSwitches(call);
        patchAll({ fs: { park: 'all' }, parkIn: [] });
        assertNoSwitch(call);
      }),
    );
});

test(
  'who blocks does not wait for those who are parked at the same file',
  inRealTime(() => {
    const { lookAt } = require('parts') as { lookAt(file: string): number };
    const file = at('large');
    fs.writeFileSync(file, '');
    const writer = spawn(() => fs.writeFileSync(file, 'x'.repeat(2 ** 22)));
    const looker = spawn(() => assertNoSwitch(() => lookAt(file)));
    joinall([writer, looker], { raiseError: true });
    assert.equal(fs.statSync(file).size, 2 ** 22);
  }),
);
