/** What is missing outside is told in one line, and before anything is begun. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));

for (const { args, says } of [
  { args: ['--host', 'nosuch.invalid', '--port', '0'], says: /ENOTFOUND nosuch\.invalid/ },
  { args: ['--host', '192.0.2.1', '--port', '0'], says: /EADDRNOTAVAIL/ },
])
  test(`one line: ${args}`, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
      encoding: 'utf8',
    });
    assert.match(stderr, says);
    assert.match(stderr, /^[^\n]+\n$/);
    assert.deepEqual([status, stdout], [1, '']);
  });
