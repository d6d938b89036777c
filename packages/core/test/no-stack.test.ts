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

/** Runs `crowd` greenlets at once on a kernel that has guard pages for `guards` stacks. */
function crowdedOut(crowd: number, guards: number) {
  const library = path.join(scratch, 'old-kernel.so');
  execFileSync('cc', ['-shared', '-fPIC', '-o', library, script('old-kernel.c')]);
  const printed = execFileSync(process.execPath, [script('crowded-out.mjs'), String(crowd)], {
    env: { ...process.env, LD_PRELOAD: library, GUARDS: String(guards) },
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
  });
  const { started, of, later } = JSON.parse(printed);
  assert.deepEqual(of, { done: started, ERR_FIBER_NO_MEMORY: crowd - started });
  assert.deepEqual(later, { done: 100 });
  return started;
}

test('greenlets for which there is no stack fail, and no others', () => {
  const started = crowdedOut(3000, 2000);
  assert.equal(started, 1999, 'one stack is that of the greenlet that spawned them');
});

test('where stacks cost mappings, enough of them are left for V8', {
  skip: process.env.TENDRIL_TEST_LONG ? false : 'long',
}, () => {
  crowdedOut(40_000, 1_000_000);
});
