import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { checkouts } from '#src/checkouts.js';
import { contestants } from '#src/contestants.js';

const folder = mkdtempSync(path.join(tmpdir(), 'tendril-before-'));

test('another checkout takes part under its own name, with its own build', (t) => {
  t.after(() => rmSync(folder, { recursive: true }));
  assert.throws(() => checkouts(folder), /is no built checkout: run npm ci && npm run build there/);

  const dist = path.join(folder, 'benchmarks', 'dist');
  mkdirSync(dist, { recursive: true });
  writeFileSync(path.join(dist, 'main.js'), '');
  const { present } = contestants({ checkouts: checkouts(folder), peers: false });
  assert.deepEqual(
    present.map(({ name }) => name),
    ['tendril', `tendril @ ${path.basename(folder)}`],
  );
  const [here, there] = present.map((one) => one.command('hand-over'));
  assert.ok(there?.includes(path.join(dist, 'one.js')));
  assert.ok(!here?.includes(path.join(dist, 'one.js')));
});
