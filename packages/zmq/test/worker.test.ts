/** Sockets in worker threads: the driver aborts the process where something is pending at their end. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../test/scripts/worker.mjs', import.meta.url));

const ends: Record<string, string[]> = {
  'the thread is terminated': ['terminate', 'ended: 1'],
  'the thread calls process.exit()': ['exit', 'ended: 3'],
  'the thread ends by an error': ['throw', 'error: boom', 'ended: 1'],
  'the process ends': ['process'],
};

for (const [what, [how = '', ...expected]] of Object.entries(ends))
  test(`messages come through, and ${what} while greenlets send and receive: no abort`, () => {
    const child = spawnSync(process.execPath, [script, how], { encoding: 'utf8', timeout: 60_000 });
    assert.equal(child.signal, null, child.stderr);
    assert.equal(child.status, 0, child.stderr);
    const lines = child.stdout.trim().split('\n');
    assert.deepEqual(lines, ['200 of 200, in order', 'ERR_UNSUPPORTED', 'a Timeout', ...expected]);
  });
