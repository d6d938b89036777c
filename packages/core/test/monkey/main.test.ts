/** The main module of a program under `--import @tendril/core/monkey/register`. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { programs, withFlag } from './program.js';

const core = JSON.stringify(fileURLToPath(import.meta.resolve('@tendril/core')));

const file = programs({
  'plain.cjs': `
    const { readFileSync } = require('node:fs');
    let turns = 0;
    setImmediate(function count() { turns++; if (turns < 50) setImmediate(count); });
    while (turns < 3) readFileSync(__filename);
    console.log(JSON.stringify({
      turns: turns >= 3,
      isMain: require.main === module,
      isProcessMain: process.mainModule === module,
      parent: module.parent ?? null,
      filename: __filename,
      argv: process.argv.slice(1),
      self: this === module.exports,
    }));
    exports.done = true;`,
  'package/package.json': '{ "main": "lib/start.js" }',
  'package/lib/start.js': 'console.log("package", require.main === module, require("./other.js"));',
  'package/lib/other.js':
    'module.exports = [require.main.filename === module.parent.filename, module.children.length];',
  extensionless: 'console.log("extensionless", require.main === module);',
  'circular.cjs': 'exports.early = 1; console.log(require("./again.cjs"));',
  'again.cjs': 'module.exports = require("./circular.cjs").early;',
  'throws.cjs': 'require("fs").readFileSync(__filename);\nthrow new RangeError("at the top");',
  'throws-text.cjs': 'throw "a text";',
  'syntax.cjs': 'const = 1;',
  'handles.cjs': `
    process.on('uncaughtException', (error, origin) => console.log(error.message, origin));
    process.on('unhandledRejection', () => console.log('no'));
    throw new Error('seen');`,
  'captures.cjs': `
    process.setUncaughtExceptionCaptureCallback((error) => console.log('captured', error.message));
    throw new Error('it');`,
  'exit-code.cjs': 'require("fs").statSync("."); process.exitCode = 5;',
  'exit.cjs': 'require("fs").statSync("."); process.exit(6); console.log("no");',
  'never.cjs': `
    require(${core}).park(() => {});`,
  'top-level.mjs': `
    import { readFileSync } from 'node:fs';
    await new Promise((resolve) => setTimeout(resolve, 1));
    console.log('module', readFileSync(process.argv[1]).length > 0, process.argv[2]);`,
  'module-throws.mjs': 'await null; throw new Error("from a module");',
  'worker.cjs': `
    const { Worker, isMainThread, workerData, parentPort } = require('node:worker_threads');
    const fs = require('node:fs');
    if (isMainThread) {
      new Worker(__filename, { workerData: 'data' })
        .on('message', (text) => console.log(text))
        .on('exit', (code) => console.log('exit', code));
    } else {
      let turned = false;
      setImmediate(() => { turned = true; });
      while (!turned) fs.statSync('.');
      parentPort.postMessage([workerData, require.main === module].join());
      process.exit(4);
    }`,
  'worker-throws.cjs': `
    const { Worker, isMainThread } = require('node:worker_threads');
    if (!isMainThread) throw new Error('in the worker');
    new Worker(__filename).on('error', (error) => console.log(error.message));`,
  'fork.cjs': `
    const { fork } = require('node:child_process');
    const fs = require('node:fs');
    if (process.send) {
      let turned = false;
      setImmediate(() => { turned = true; });
      while (!turned) fs.statSync('.');
      process.send('forked');
      process.disconnect();
    } else fork(__filename).on('message', (text) => console.log(text));`,
  'typed.ts': 'const n: number = 2;\nconsole.log("typed", n, require.main === module);',
  'typed-module.mts': 'const n: number = await 2;\nconsole.log("typed", n);',
});

/** One line on standard output, nothing else, and exit code 0. */
async function prints(line: string, args: string[]): Promise<void> {
  const { stdout, stderr, code } = await withFlag(args);
  assert.deepEqual({ stdout, stderr, code }, { stdout: `${line}\n`, stderr: '', code: 0 });
}

describe('a CommonJS main module', { concurrency: 2 }, () => {
  it('parks in what would block, and is in all else what it is without', async () => {
    const { stdout, stderr, code } = await withFlag([file('plain.cjs'), 'a', '--b']);
    assert.equal(stderr, '');
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout), {
      turns: true,
      isMain: true,
      isProcessMain: true,
      parent: null,
      filename: file('plain.cjs'),
      argv: [file('plain.cjs'), 'a', '--b'],
      self: true,
    });
  });

  it("may be a package's directory", () => prints('package true [ true, 0 ]', [file('package')]));
  it('may have no extension', () => prints('extensionless true', [file('extensionless')]));
  it('may be required by what it requires', () => prints('1', [file('circular.cjs')]));
  it('sets the exit code', async () =>
    assert.equal((await withFlag([file('exit-code.cjs')])).code, 5));

  it('exits', async () => {
    const { stdout, code } = await withFlag([file('exit.cjs')]);
    assert.deepEqual([stdout, code], ['', 6]);
  });
});

describe('an error at the top level of a main module', { concurrency: 2 }, () => {
  it('ends the process with the report of Node, which shows the line', async () => {
    const { stderr, code } = await withFlag([file('throws.cjs')]);
    assert.equal(code, 1);
    assert.ok(
      stderr.startsWith(`${file('throws.cjs')}:2\nthrow new RangeError("at the top");\n`),
      stderr,
    );
    assert.match(stderr, /\nRangeError: at the top\n +at .*throws\.cjs:2:7\)\n/);
    assert.match(stderr, /\nNode\.js v/);
  });

  it('may be any value', async () => {
    const { stderr, code } = await withFlag([file('throws-text.cjs')]);
    assert.equal(code, 1);
    assert.match(stderr, /\nUncaught:?\s+'?a text'?\n|a text/);
  });

  it('may be one of syntax', async () => {
    const { stderr, code } = await withFlag([file('syntax.cjs')]);
    assert.equal(code, 1);
    assert.match(stderr, /syntax\.cjs:1\nconst = 1;\n/);
    assert.match(stderr, /SyntaxError/);
  });

  it('goes to uncaughtException, as one', () =>
    prints('seen uncaughtException', [file('handles.cjs')]));
  it('goes to a capture callback', () => prints('captured it', [file('captures.cjs')]));
});

describe('a main module that is parked', () => {
  it('when nothing can wake it ends with a LoopExit', async () => {
    const { stderr, code } = await withFlag([file('never.cjs')]);
    assert.equal(code, 1);
    assert.match(stderr, /LoopExit/);
    assert.match(stderr, /never\.cjs:2/);
  });
});

describe('programs that are no CommonJS files', { concurrency: 2 }, () => {
  it('ES modules run as they are', () => prints('module true x', [file('top-level.mjs'), 'x']));
  it('and fail as they do', async () => {
    const { stderr, code } = await withFlag([file('module-throws.mjs')]);
    assert.equal(code, 1);
    assert.match(stderr, /Error: from a module/);
  });
  it('-p', () => prints('2', ['-p', '1 + 1']));
  it('-e', () => prints('undefined', ['-e', 'console.log(require.main)']));
  it('standard input', async () => {
    const { stdout, code } = await withFlag(['-', 'a'], { input: 'console.log(process.argv[2])' });
    assert.deepEqual([stdout, code], ['a\n', 0]);
  });
  it('files that are not there', async () => {
    const { stderr, code } = await withFlag([file('missing.js')]);
    assert.equal(code, 1);
    assert.match(stderr, /Error \[ERR_MODULE_NOT_FOUND\]: Cannot find module .*missing\.js/);
  });

  const strips = Boolean((process.features as { typescript?: unknown }).typescript);
  const skip = strips ? false : 'this Node runs no TypeScript';
  const quiet = ['--disable-warning=ExperimentalWarning'];
  it('TypeScript, as CommonJS', { skip }, () =>
    prints('typed 2 true', [...quiet, file('typed.ts')]),
  );
  it('TypeScript, as an ES module', { skip }, () =>
    prints('typed 2', [...quiet, file('typed-module.mts')]),
  );
});

describe('threads and processes that a program starts', { concurrency: 2 }, () => {
  it("a worker thread's module runs in a greenlet, too", () =>
    prints('data,true\nexit 4', [file('worker.cjs')]));
  it("a worker thread's error goes to its parent", () =>
    prints('in the worker', [file('worker-throws.cjs')]));
  it("a forked child's module runs in a greenlet, too", () => prints('forked', [file('fork.cjs')]));
});
