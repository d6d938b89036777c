import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { runScript } from './helpers/run-script.js';

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
