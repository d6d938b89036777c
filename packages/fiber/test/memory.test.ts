import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runScript } from './helpers/run-script.js';

test('a crowd leaves nothing behind', () => {
  const crowd = process.env.TENDRIL_TEST_SHORT === '1' ? 10_000 : 30_000;
  const { stdout, stderr } = runScript('memory.mjs', [String(crowd)]);
  const { start, parked, end, live } = JSON.parse(stdout || '{}');
  assert.equal(live, 0, stderr);
  assert.ok(parked - start < crowd * 16_384, `${(parked - start) / crowd} bytes per parked fiber`);
  assert.ok(end - start < (parked - start) / 5, `${start} at the start, ${end} at the end`);
});
