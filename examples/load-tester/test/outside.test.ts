/** What is missing outside is told in one line, and before anything is begun. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));

for (const { args, says } of [
  { args: ['/no/such.js', 'http://127.0.0.1:1/'], says: /Cannot find module '\/no\/such\.js'/ },
  { args: ['/', 'http://127.0.0.1:1/'], says: /Directory import/ },
  {
    args: [
      fileURLToPath(new URL('../scenarios/browse.mjs', import.meta.url)),
      'http://127.0.0.1:1/',
    ],
    says: /ECONNREFUSED 127\.0\.0\.1:1/,
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
