/** Programs that go away while greenlets are about: they end as without Tendril. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { leaveNothing } from '../helpers.js';
import { programs, start, withFlag } from './program.js';

leaveNothing();

const entry = (name: string) => JSON.stringify(fileURLToPath(import.meta.resolve(name)));
const core = entry('@tendril/core');

/** What each program begins with: others that would go on, if they could, and say so. */
const prelude = `
  const fs = require('node:fs');
  const childProcess = require('node:child_process');
  const { randomBytes } = require('node:crypto');
  const zlib = require('node:zlib');
  const { spawn, sleep, park, wait, canPark, run } = require(${core});
  const scratch = __filename + '.' + process.pid;
  const say = (text) => childProcess.spawnSync('sh', ['-c', 'echo "$0"', text], { stdio: 'inherit' });
  /** Calls that park in greenlets, and leave their mark. */
  const use = (text) => {
    fs.writeFileSync(scratch, text);
    fs.appendFileSync(scratch, '.');
    const read = fs.readFileSync(scratch, 'utf8');
    fs.unlinkSync(scratch);
    zlib.gunzipSync(zlib.gzipSync(randomBytes(100_000)));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    say(read + (fs.existsSync(scratch) ? ' is left' : '') + (canPark() ? ' parks' : ''));
  };
  const others = () => {
    const ready = spawn(() => { for (;;) { sleep(0); if (process._exiting) say('another went on'); } });
    spawn(() => { try { park(() => {}); } finally { say('a finally ran'); } });
    spawn(() => { childProcess.execSync('sleep 1'); if (process._exiting) say('a call returned'); });
    sleep(0);
    setImmediate(() => { if (process._exiting) say('a callback ran'); });
    Promise.resolve().then(() => { if (process._exiting) say('a promise went on'); });
    process.nextTick(() => { if (process._exiting) say('a tick ran'); });
  };
`;

const deasync = entry('@tendril/deasync');
const future = entry('@tendril/fibers/future');
const texts: Record<string, [text: string, printed: string, code?: number | null]> = {
  'process.exit() in a greenlet': [
    `process.on('exit', (code) => use('cleaned ' + code)); others(); process.exit(3);`,
    'cleaned 3.\n',
    3,
  ],
  'process.exit() in a greenlet of a server': [
    `const http = require('node:http');
     process.on('exit', (code) => use('cleaned ' + code));
     const server = http.createServer(() => { others(); process.exit(4); });
     server.listen(0, '127.0.0.1', () => http.get({ port: server.address().port, host: '127.0.0.1' }).on('error', () => {}));`,
    'cleaned 4.\n',
    4,
  ],
  'process.exit() in a callback': [
    `process.on('exit', (code) => use('cleaned ' + code)); others(); setImmediate(() => process.exit(5)); park(() => {});`,
    'cleaned 5.\n',
    5,
  ],
  'several listeners, one that was put before all others': [
    `process.on('exit', () => use('second'));
     process.prependListener('exit', () => use('first'));
     others(); process.exit();`,
    'first.\nsecond.\n',
  ],
  'process.exit() again in a listener': [
    `process.on('exit', () => { use('once'); process.exit(7); }); others(); process.exit(1);`,
    'once.\n',
    7,
  ],
  'an exit code, and a listener that starts a child': [
    `process.on('exit', (code) => use('cleaned ' + code)); fs.statSync('.'); process.exitCode = 6;`,
    'cleaned 6.\n',
    6,
  ],
  'process.reallyExit()': [
    `process.on('exit', () => use('no')); others(); process.reallyExit(8);`,
    '',
    8,
  ],
  'process.abort()': [`process.on('exit', () => use('no')); others(); process.abort();`, '', null],
  'an error that nobody catches': [
    `process.on('exit', (code) => use('cleaned ' + code));
     process.on('uncaughtExceptionMonitor', (error) => use(error.message));
     const stop = spawn(() => { for (;;) { sleep(0); if (globalThis.failed) say('another went on'); } });
     spawn(() => { try { park(() => {}); } finally { say('a finally ran'); } });
     sleep(0);
     globalThis.failed = true; throw new Error('thrown');`,
    'thrown.\ncleaned 1.\n',
    1,
  ],
  'an uncaught exception that is handled': [
    `process.on('uncaughtException', (error) => { use(error.message); process.exit(2); });
     process.on('exit', (code) => use('cleaned ' + code));
     others(); throw new Error('thrown');`,
    'thrown.\ncleaned 2.\n',
    2,
  ],
  'a rejection that nobody handles': [
    `process.on('unhandledRejection', (error) => { use(error.message); process.exit(9); });
     Promise.reject(new Error('rejected')); park(() => {});`,
    'rejected.\n',
    9,
  ],
  beforeExit: [
    `process.once('beforeExit', () => use('before')); process.on('exit', () => use('exit')); fs.statSync('.');`,
    'before.\nexit.\n',
  ],
  'a finalizer': [
    `const registry = new FinalizationRegistry((text) => { use(text); process.exit(); });
     (() => registry.register({}, 'finalized'))();
     setInterval(gc, 10); park(() => {});`,
    'finalized.\n',
  ],
  'a worker thread': [
    `const { Worker, isMainThread } = require('node:worker_threads');
     if (isMainThread) new Worker(__filename).on('exit', (code) => use('worker ' + code));
     else { process.on('exit', (code) => use('cleaned ' + code)); others(); process.exit(3); }`,
    'cleaned 3.\nworker 3.\n',
  ],
  'calls of greenlets in a listener': [
    `const { default: deasync } = require(${deasync});
     const { default: Future } = require(${future});
     const calls = {
       sleep: () => sleep(1),
       join: () => spawn(() => say('spawned')).join(),
       wait: () => wait(Promise.resolve(1)),
       deasync: () => deasync.sleep(1),
       loopWhile: () => deasync.loopWhile(() => true),
       runLoopOnce: () => deasync.runLoopOnce(),
       future: () => { const one = new Future(); setImmediate(() => one.return()); one.wait(); },
     };
     process.on('exit', () => {
       const codes = Object.values(calls).map((call) => { try { call(); return 'returned'; } catch (error) { return error.code; } });
       use([...new Set(codes)].join());
     });
     others(); process.exit();`,
    'ERR_CANNOT_SWITCH.\n',
  ],
  'an exit that a listener stops': [
    `process.once('exit', () => { throw new Error('stays'); });
     try { process.exit(3); } catch (error) { use(error.message); }
     setImmediate(() => run(() => { sleep(1); use('goes on'); process.exit(0); }));`,
    'stays.\ngoes on. parks\n',
  ],
};

const file = programs(
  Object.fromEntries(
    Object.entries(texts).map(([title, [text]]) => [`${title}.cjs`, `${prelude}\n${text}`]),
  ),
);

describe('a program that goes away', () => {
  for (const [title, [, printed, code = 0]] of Object.entries(texts))
    it(title, async () => {
      const args = ['--expose-gc', file(`${title}.cjs`)];
      const ended = await withFlag(args, { timeout: 60_000, killSignal: 'SIGKILL' });
      assert.deepEqual([ended.stdout, ended.code], [printed, code], ended.stderr);
    });

  it('is that of plain Node', async () => {
    for (const title of ['beforeExit', 'an exit code, and a listener that starts a child']) {
      const plain = await start([file(`${title}.cjs`)]).ended;
      assert.deepEqual([plain.stdout, plain.code], [texts[title]?.[1], texts[title]?.[2] ?? 0]);
    }
  });
});
