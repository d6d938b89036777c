import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { leaveNothing, withoutCertificates } from './helpers.js';

leaveNothing();

test('without descriptors for a moment everything says so; nothing hangs, and all works afterwards', () => {
  const script = fileURLToPath(new URL('../test/scripts/no-descriptors.mjs', import.meta.url));
  const output = execFileSync(process.execPath, [script], {
    env: withoutCertificates(),
    encoding: 'utf8',
    timeout: 120_000,
  });
  const { during, after } = JSON.parse(output);
  const starts = ['connect', 'several', 'listen', 'datagram', 'run', 'input', 'Popen'];
  for (const name of starts) assert.equal(during[name], 'EMFILE', name);
  assert.equal(during.threads, 'ERR_THREADPOOL_START');
  assert.equal(during.hosts, 'true', 'what the hosts file has needs no server');
  assert.equal(during.name, 'EAI_AGAIN');
  assert.equal(during.bystander, 'true');
  // There is no server to ask, then or now.
  for (const name of [...starts, 'threads', 'hosts', 'bystander'])
    assert.equal(after[name], 'true', name);
});
