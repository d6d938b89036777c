/** What is missing outside is told in one line, and before anything is begun. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));

for (const { args, says } of [
  {
    args: ['--database', 'postgres://x:y@127.0.0.1:1/z', 'http://127.0.0.1:1/'],
    says: /ECONNREFUSED 127\.0\.0\.1:1/,
  },
  {
    args: ['--database', 'postgres://x:y@localhost:1/z', 'http://127.0.0.1:1/'],
    says: /ECONNREFUSED/,
  },
])
  test(`one line: ${args}`, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
      encoding: 'utf8',
    });
    assert.match(stderr, says);
    assert.match(stderr, /^[^\n]+\n$/);
    assert.deepEqual([status, stdout], [1, '']);
  });
