import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runScript } from './helpers/run-script.js';

test('a crowd leaves nothing behind', () => {
  const { stdout, stderr } = runScript('memory.mjs', ['30000']);
  const { start, parked, end, live } = JSON.parse(stdout || '{}');
  assert.equal(live, 0, stderr);
  assert.ok(
    parked - start < 30_000 * 16_384,
    `${(parked - start) / 30_000} bytes per parked fiber`,
  );
  assert.ok(end - start < (parked - start) / 5, `${start} at the start, ${end} at the end`);
});
