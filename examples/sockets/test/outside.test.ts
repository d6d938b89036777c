/** What is missing outside, and wrong usage, are told in one line. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

for (const { program, args, says, code } of [
  { program: 'proxy', args: ['0', '127.0.0.1:1'], says: /ECONNREFUSED 127\.0\.0\.1:1/, code: 1 },
  { program: 'proxy', args: ['0'], says: /^usage/, code: 2 },
  { program: 'chat', args: ['x'], says: /port/, code: 1 },
  { program: 'pairing', args: ['--users', '3'], says: /^usage/, code: 2 },
  { program: 'pairing', args: ['--what'], says: /^usage/, code: 2 },
])
  test(`one line: ${program} ${args.join(' ')}`, () => {
    const file = fileURLToPath(new URL(`../dist/${program}.js`, import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], {
      encoding: 'utf8',
    });
    assert.match(stderr, says);
    assert.match(stderr, /^[^\n]+\n$/);
    assert.deepEqual([status, stdout], [code, '']);
  });
