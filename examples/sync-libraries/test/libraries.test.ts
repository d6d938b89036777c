/** Real synchronous libraries, unchanged: in greenlets they park where they blocked. */
import './patched.js';
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { joinall, killall, Semaphore, sleep, spawn, Timeout, withTimeout } from '@tendril/core';
import crossSpawn from 'cross-spawn';
import { Linter } from 'eslint';
import prettierPlugin from 'eslint-plugin-prettier';
import fse from 'fs-extra';
import shell from 'shelljs';
import { createSyncFn } from 'synckit';
import { inGreenlet, leaveNothing, turnsOfAnother } from './helpers.js';

leaveNothing();

const require = createRequire(import.meta.url);
const fixture = (name: string) =>
  fileURLToPath(new URL(`../test/fixtures/${name}`, import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'tendril-libraries-'));
after(() => rmSync(folder, { recursive: true }));

/** Makes `count` calls, each in a greenlet. */
function atOnce(count: number, call: (index: number) => void): void {
  const greenlets = Array.from({ length: count }, (_, index) => spawn(call, index));
  try {
    withTimeout(120_000, () => joinall(greenlets, { raiseError: true }));
  } finally {
    killall(greenlets);
  }
}

/** A command of the shell that ends when five of this name run at the same time. */
function meeting(name: string, index: number): string {
  const place = path.join(folder, name);
  const five = `[ "$(ls '${place}' | wc -l)" -ge 5 ]`;
  return `mkdir -p '${place}'; touch '${place}/${index}'; until ${five}; do sleep 0.02; done`;
}

test(
  'shelljs: files and commands of a release script',
  inGreenlet(() => {
    shell.config.silent = true;
    const at = (name: string) => path.join(folder, 'release', name);
    const turns = turnsOfAnother(() => {
      shell.mkdir('-p', at('dist'));
      shell.ShellString('version 1\n').to(at('dist/a.txt'));
      shell.cp('-r', at('dist'), at('copy'));
      shell.sed('-i', 'version 1', 'version 2', at('copy/a.txt'));
    });
    assert.equal(String(shell.cat(at('copy/a.txt'))), 'version 2\n');
    assert.deepEqual([...shell.ls(at('copy'))], ['a.txt']);
    assert.equal(turns, 0, 'each of them costs less than a switch');
    assert.equal(shell.cat(at('none')).code, 1);
    shell.rm('-rf', at(''));
    assert.ok(!existsSync(at('')));

    // The name of the command at hand stands in its module: nobody else may come in meanwhile.
    const others = turnsOfAnother(() => {
      const { code, stdout, stderr } = shell.exec('echo out; echo err >&2; exit 3');
      assert.deepEqual([code, stdout, stderr], [3, 'out\n', 'err\n']);
    });
    assert.equal(others, 0);
    atOnce(5, (index) => {
      const { code, stderr } = shell.cmd('sh', '-c', `echo ${index} >&2; exit ${index}`);
      assert.deepEqual([code, stderr], [index, `${index}\n`]);
    });
  }),
);

test(
  'fs-extra: synchronous calls',
  inGreenlet(() => {
    const at = (name: string) => path.join(folder, 'extra', name);
    const turns = turnsOfAnother(() => {
      fse.outputFileSync(at('deep/er/a.txt'), 'a');
      fse.outputJsonSync(at('b.json'), { b: [1, 2] }, { spaces: 1 });
      fse.copySync(at('deep'), at('copied'));
      fse.moveSync(at('copied'), at('moved'));
      fse.ensureLinkSync(at('b.json'), at('links/b.json'));
      fse.emptyDirSync(at('deep'));
    });
    assert.ok(turns > 0, 'trees park');
    assert.equal(readFileSync(at('moved/er/a.txt'), 'utf8'), 'a');
    assert.deepEqual(fse.readJsonSync(at('links/b.json')), { b: [1, 2] });
    assert.equal(statSync(at('b.json')).nlink, 2);
    assert.ok(fse.pathExistsSync(at('deep')) && !fse.pathExistsSync(at('copied')));
    assert.throws(() => fse.copySync(at('none'), at('x')), { code: 'ENOENT' });
    fse.removeSync(at(''));
    assert.ok(!existsSync(at('')));
  }),
);

test(
  'cross-spawn: sync',
  inGreenlet(() => {
    const { status, stdout, stderr } = crossSpawn.sync('sh', ['-c', 'cat; echo err >&2; exit 4'], {
      input: 'through',
      encoding: 'utf8',
    });
    assert.deepEqual([status, stdout, stderr], [4, 'through', 'err\n']);
    const failed = crossSpawn.sync('no-such-program', ['x']);
    assert.equal((failed.error as NodeJS.ErrnoException).code, 'ENOENT');
    atOnce(5, (index) => {
      assert.equal(crossSpawn.sync('sh', ['-c', meeting('cross-spawn', index)]).status, 0);
    });
    // A greenlet that is out of time leaves no child behind.
    const marker = path.join(folder, 'marker');
    assert.throws(
      () =>
        withTimeout(200, () => crossSpawn.sync('sh', ['-c', `sleep 300; echo late > ${marker}`])),
      Timeout,
    );
    while (crossSpawn.sync('ps', ['-eo', 'args'], { encoding: 'utf8' }).stdout.includes(marker))
      sleep(10);
    assert.ok(!existsSync(marker));
  }),
);

test(
  'sync-rpc: another process answers',
  inGreenlet(() => {
    type Remote = (request: { ms: number; id?: number; fail?: string; meet?: number }) => {
      id: number;
    };
    const rpc: (worker: string, options: object) => Remote = require('sync-rpc');
    const remote = rpc(fixture('rpc-worker.cjs'), { name: 'worker' });
    assert.deepEqual(remote({ ms: 0, id: 1 }), { ms: 0, id: 1, by: 'worker' });
    assert.throws(() => remote({ ms: 0, fail: 'told to' }), /told to/);
    const answers: number[] = [];
    atOnce(5, (id) => {
      answers[id] = remote({ ms: 0, id, meet: 5 }).id;
    });
    assert.deepEqual(answers, [0, 1, 2, 3, 4]);
  }),
);

describe('synckit: a thread answers', () => {
  type Upper = (text: string, ms: number, file?: string) => Promise<string>;

  test(
    'the caller is parked, and gets results and errors',
    inGreenlet(() => {
      const upper = createSyncFn<Upper>(fixture('synckit-worker.mjs'));
      assert.equal(upper('first', 0), 'FIRST');
      // The thread answers when another greenlet has had its turns.
      const file = path.join(folder, 'turns');
      let turns = 0;
      const other = spawn(() => {
        while (turns < 10) {
          sleep(1);
          turns++;
        }
        writeFileSync(file, '');
      });
      assert.equal(upper('second', 0, file), 'SECOND');
      assert.equal(turns, 10, 'nothing else ran meanwhile');
      other.join();
      assert.throws(() => upper('fail', 0), { name: 'TypeError', message: 'told to fail' });
    }),
  );

  // synckit takes one call at a time for granted: its answers come in the order of the thread.
  test(
    'callers share a function behind a semaphore',
    inGreenlet(() => {
      const upper = createSyncFn<Upper>(fixture('synckit-worker.mjs'));
      const one = new Semaphore(1);
      const answers: string[] = [];
      atOnce(10, (index) => {
        answers[index] = one.use(() => upper(`text ${index}`, 10 - index));
      });
      assert.deepEqual(
        answers,
        answers.map((_, index) => `TEXT ${index}`),
      );
    }),
  );

  test(
    'eslint-plugin-prettier, which is built on it',
    inGreenlet(() => {
      const linter = new Linter();
      const config = {
        plugins: { prettier: prettierPlugin },
        rules: { 'prettier/prettier': ['error' as const, {}, { usePrettierrc: false }] as const },
      };
      const turns = turnsOfAnother(() => {
        const { output } = linter.verifyAndFix('const a=1', config as never, 'a.js');
        assert.equal(output, 'const a = 1;\n');
      });
      assert.ok(turns > 0, 'nothing else ran meanwhile');
    }),
  );
});

test('outside greenlets they block, as ever', () => {
  const file = path.join(folder, 'plain.txt');
  writeFileSync(file, 'plain');
  assert.equal(String(shell.cat(file)), 'plain');
  assert.equal(crossSpawn.sync('echo', ['hi'], { encoding: 'utf8' }).stdout, 'hi\n');
});
