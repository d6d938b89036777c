import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { runScript } from './run-script.js';

const long = process.env['TENDRIL_TEST_LONG'] === '1';

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
      const result = runScript('stress.mjs', [long ? '500' : '60'], set);
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

test('workers use fibers, also alone, and go with them parked or running', () => {
  const { stdout, stderr } = runScript('workers.mjs');
  const expected = [
    ...Array(4).fill('finish: 3000, exit 0'),
    ...Array(4).fill('park: parked, exit 1'),
    'busy: busy, exit 1',
    'exit: nothing, exit 7',
    'grows: no',
  ];
  assert.deepEqual(stdout.trim().split('\n'), expected, stderr);
});

describe('a process with parked fibers exits', () => {
  test('from process.exit() inside a fiber', () =>
    assert.equal(runScript('exit.mjs', ['inside']).status, 9));
  test('when the event loop is empty, with its code', () =>
    assert.equal(runScript('exit.mjs', ['code']).status, 5));
  test('by an error that comes out of a fiber', () => {
    const { status, stderr } = runScript('exit.mjs', ['throw']);
    assert.equal(status, 1);
    assert.match(stderr, /thrown in a fiber/);
  });
});

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

test('the CPU profiler sees functions that run in fibers', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tendril-profile-'));
  try {
    const run = runScript('profiled.mjs', [], ['--cpu-prof', `--cpu-prof-dir=${folder}`]);
    assert.equal(run.status, 0, run.stderr);
    const profile = JSON.parse(
      readFileSync(path.join(folder, readdirSync(folder)[0] as string), 'utf8'),
    ) as { nodes: { id: number; callFrame: { functionName: string } }[]; samples: number[] };
    const ids = new Set(
      profile.nodes
        .filter((node) => node.callFrame.functionName === 'runsInAFiber')
        .map(({ id }) => id),
    );
    const hits = profile.samples.filter((id) => ids.has(id)).length;
    assert.ok(hits > 10, `${hits} samples of ${profile.samples.length}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
