import assert from 'node:assert/strict';
import { spawn as spawnProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { startService } from '@tendril/adapter-suite';
import { run, spawn, wait, withTimeout } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import { createClient, createSentinel, type Sentinel } from '@tendril/redis';
import { freePort, password, until } from './helpers.js';

after(() => checkLeaks());

/** Clients of the master that wait in a command. */
function blocked(sentinel: Sentinel): number {
  const info = String(sentinel.sendCommand(false, ['INFO', 'clients']));
  return Number(/blocked_clients:(\d+)/.exec(info)?.[1]);
}

test('sentinels: commands and blocking ones go to the master', () =>
  run(() => {
    const master = wait(startService('redis'));
    const folder = mkdtempSync(path.join(tmpdir(), 'tendril-sentinel-'));
    const port = freePort();
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor main ${master.host} ${master.port} 1`,
      `sentinel auth-pass main ${password}`,
    ];
    const file = path.join(folder, 'sentinel.conf');
    writeFileSync(file, lines.join('\n'));
    const process = spawnProcess('redis-server', [file, '--sentinel'], { stdio: 'ignore' });
    const exited = once(process, 'exit');
    const sentinel = createSentinel({
      name: 'main',
      sentinelRootNodes: [{ host: '127.0.0.1', port }],
      nodeClientOptions: { password },
    });
    try {
      withTimeout(10_000, () => {
        const asking = createClient({ socket: { host: '127.0.0.1', port } });
        asking.connect().close();
      });
      sentinel.connect();
      assert.equal(sentinel.set('key', 'value'), 'OK');
      assert.equal(sentinel.get('key'), 'value');
      assert.deepEqual(sentinel.multi().incr('n').incr('n').exec(), [1, 2]);
      const popping = Array.from({ length: 5 }, () => spawn(() => sentinel.blPop('list', 0)));
      until(() => blocked(sentinel) === 5);
      assert.equal(sentinel.get('key'), 'value', 'nobody is stopped');
      popping.pop()?.kill();
      until(() => blocked(sentinel) === 4);
      // All before the first is waited for: the server serves them in the order in which their
      // connections came, which need not be that of their greenlets.
      sentinel.rPush('list', ['0', '1', '2', '3']);
      const elements = popping.map((each) => each.get()?.element);
      assert.deepEqual(elements.sort(), ['0', '1', '2', '3']);
      using messages = sentinel.subscribe('channel');
      sentinel.publish('channel', 'm');
      assert.equal(messages.receive({ timeout: 2000 })?.message, 'm');
    } finally {
      sentinel.close();
      process.kill();
      wait(exited);
      rmSync(folder, { recursive: true, force: true });
      wait(master.stop());
    }
  }));
