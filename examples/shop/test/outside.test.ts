/** What is missing outside is told in one line, and before anything is begun. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));

for (const { args, says, env } of [
  {
    args: [],
    says: /ECONNREFUSED 127\.0\.0\.1:1/,
    env: { DATABASE_URL: 'postgres://x:y@127.0.0.1:1/z' },
  },
  { args: [], says: /ECONNREFUSED 127\.0\.0\.1:1/, env: { REDIS_URL: 'redis://127.0.0.1:1' } },
  { args: [], says: /Invalid URL/, env: { REDIS_URL: 'nonsense' } },
])
  test(`one line: ${JSON.stringify(env)}`, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
      encoding: 'utf8',
      env: { ...process.env, DATABASE_URL: undefined, REDIS_URL: undefined, ...env },
    });
    assert.match(stderr, says);
    assert.match(stderr, /^[^\n]+\n$/);
    assert.deepEqual([status, stdout], [1, '']);
  });
