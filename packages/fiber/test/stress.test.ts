import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runScript } from './helpers/run-script.js';

const long = process.env['TENDRIL_TEST_LONG'] === '1';
const short = process.env['TENDRIL_TEST_SHORT'] === '1';
/** Fibers per part of the program. */
const size = long ? 2000 : short ? 60 : 300;

describe('parked stacks survive the garbage collector', () => {
  const flags = [
    [],
    ['--stress-compaction'],
    ['--gc-interval=500'],
    ['--stress-scavenge=50'],
    ['--max-semi-space-size=1'],
    ['--always-osr'],
    ['--jitless'],
  ];
  for (const set of flags) {
    test(`with ${set.join(' ') || 'no flags'}`, () => {
      const result = runScript('stress.mjs', [String(size)], set);
      assert.deepEqual(
        [result.status, result.signal, result.stdout],
        [0, null, 'held\n'],
        result.stderr,
      );
    });
  }
  test(`${long ? 200 : 3} times in a row`, () => {
    for (let i = 0; i < (long ? 200 : 3); i++) {
      const result = runScript('stress.mjs', ['60']);
      assert.equal(result.status, 0, `run ${i}: ${result.stderr}`);
    }
  });
});
