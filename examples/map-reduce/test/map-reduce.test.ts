/** MapReduce on files whose words are known, with real processes. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn as spawnProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { run } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import { JobError, Master } from '#src/master.js';
import { wordCount } from '#src/word-count.js';
import { Workers } from '#src/workers.js';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'tendril-words-'));
const files = 300;

// File n holds "common" once, "mod0" to "mod6" by its number, and "rare" in one of them.
before(() => {
  for (let n = 0; n < files; n++) {
    const below = path.join(folder, `d${n % 10}`);
    mkdirSync(below, { recursive: true });
    const rare = n === 77 ? 'Rare RARE rare' : '';
    writeFileSync(path.join(below, `${n}.txt`), `Common, ${'abcdefg'[n % 7]}mod! ${rare}\n`);
  }
});
after(async () => {
  rmSync(folder, { recursive: true });
  await checkLeaks();
});

const expected = [
  '300\tcommon',
  '43\tamod',
  '43\tbmod',
  '43\tcmod',
  '43\tdmod',
  '43\temod',
  '43\tfmod',
];

test('counts the words of many files with many workers', async () => {
  const args = [main, '--workers', '3', '--chunk', '5', '--top', '7', folder];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
  assert.deepEqual(stdout.trimEnd().split('\n'), expected);
  assert.match(stderr, /^300 files, workers \d+, \d+, \d+\n/);
  const shares = /parts of each worker: (.*)/.exec(stderr)?.[1]?.split(', ').map(Number) ?? [];
  assert.equal(
    shares.reduce((a, b) => a + b),
    60,
    'each part was mapped once',
  );
});

/** Open sockets of a process, if it is there. */
function sockets(pid: number): number {
  try {
    const fds = readdirSync(`/proc/${pid}/fd`);
    return fds.filter((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:')).length;
  } catch {
    return 0; // it has gone, or closes one just now
  }
}

/** Kills a worker once it is connected to the master: it may have a part then. False if all was done before. */
async function killConnected(pid: number, master: ChildProcess): Promise<boolean> {
  // One is its standard input.
  while (sockets(pid) < 2) {
    if (master.exitCode !== null) return false;
    await delay(1);
  }
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

test('a worker that is killed loses nothing, and nothing counts twice', async () => {
  let killed = false;
  for (let attempt = 0; attempt < 10 && !killed; attempt++) killed = await withVictim();
  assert.ok(killed, 'one was killed while there was work');
});

/** Counts with a worker that is killed, if it can be in time. */
async function withVictim(): Promise<boolean> {
  const args = [main, '--workers', '3', '--chunk', '1', '--patience', '1', '--top', '7', folder];
  const child = spawnProcess(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  child.stdout.on('data', (piece) => {
    text += piece;
  });
  const [said] = await once(child.stderr, 'data');
  const [victim] = /workers (\d+)/.exec(String(said))?.slice(1).map(Number) ?? [];
  const closed = once(child, 'close');
  const killed = await killConnected(victim as number, child);
  const [code] = await closed;
  assert.equal(code, 0);
  assert.deepEqual(text.trimEnd().split('\n'), expected);
  return killed;
}

test('a part that cannot be mapped ends the job with an error', () =>
  run(() => {
    using master = new Master(wordCount, { patience: 5000 });
    using _workers = new Workers(1, master.bind());
    assert.throws(() => master.run([7 as never]), JobError);
  }) as Promise<void>);

test('what is wrong with the command line is said, with exit code 2', async () => {
  for (const args of [[], ['--workers', '0', folder], ['--nonsense', folder]])
    await assert.rejects(promisify(execFile)(process.execPath, [main, ...args]), { code: 2 });
});
