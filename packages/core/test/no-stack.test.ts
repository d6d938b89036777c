import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { leaveNothing } from './helpers.js';

leaveNothing();

const scratch = mkdtempSync(path.join(tmpdir(), 'tendril-no-stack-'));
after(() => rmSync(scratch, { recursive: true }));

const script = (name: string) => fileURLToPath(new URL(`../test/scripts/${name}`, import.meta.url));

const unlimited = 1_000_000;

/** Runs `crowd` greenlets at once on a kernel that has no more than that for them. */
function crowdedOut(crowd: number, { guards = unlimited, chunks = unlimited }) {
  const library = path.join(scratch, 'old-kernel.so');
  execFileSync(process.env.CC ?? 'cc', ['-shared', '-fPIC', '-o', library, script('old-kernel.c')]);
  const printed = execFileSync(process.execPath, [script('crowded-out.mjs'), String(crowd)], {
    env: { ...process.env, LD_PRELOAD: library, GUARDS: String(guards), CHUNKS: String(chunks) },
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
  });
  const { started, of, later } = JSON.parse(printed);
  assert.deepEqual(of, { done: started, ERR_FIBER_NO_MEMORY: crowd - started });
  assert.deepEqual(later, { done: 100 });
  return started;
}

test('greenlets for which there is no stack fail, and no others', () => {
  const started = crowdedOut(3000, { guards: 2000 });
  assert.equal(started, 1999, 'one stack is that of the greenlet that spawned them');
});

test('the same where there is no memory for what else a fiber needs', () => {
  const started = crowdedOut(6000, { chunks: 1 });
  assert.ok(started > 0 && started < 6000, String(started));
});

test('where stacks cost mappings, enough of them are left for V8', {
  skip: process.env.TENDRIL_TEST_LONG ? false : 'long',
}, () => {
  crowdedOut(40_000, {});
});
