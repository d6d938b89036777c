import assert from 'node:assert/strict';
import { spawn as spawnProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { type Service, startService } from '@tendril/adapter-suite';
import { run, sleep, spawn, wait, withTimeout } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import { type Client, createClient, createSentinel } from '@tendril/redis';

after(() => checkLeaks());
const password = 'tendril';

/** Below the range from which the system takes ports for others meanwhile. */
function freePort(): number {
  return 20_000 + Math.floor(Math.random() * 10_000);
}

const connectTo = ({ host, port }: { host: string; port: number }): Client =>
  createClient({ socket: { host, port }, password }).connect();

/** Three masters, a third of the slots each. */
function _startCluster(): { services: Service[]; nodes: Client[] } {
  const buses = [freePort(), freePort(), freePort()];
  const services = buses.map((bus) =>
    wait(startService('redis', ['--cluster-enabled', 'yes', '--cluster-port', String(bus)])),
  );
  const nodes = services.map(connectTo);
  for (const [i, node] of nodes.entries()) {
    const from = Math.ceil((16_384 / 3) * i);
    const to = Math.ceil((16_384 / 3) * (i + 1)) - 1;
    node.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', String(from), String(to)]);
    const { host, port } = services[0] as Service;
    if (i > 0) node.sendCommand(['CLUSTER', 'MEET', host, String(port), String(buses[0])]);
  }
  const ready = (node: Client) => {
    const info = String(node.sendCommand(['CLUSTER', 'INFO']));
    return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3');
  };
  withTimeout(30_000, () => {
    while (!nodes.every(ready)) sleep(20);
  });
  return { services, nodes };
}

// Now and then it does not end on a busy machine; why is not known yet. So it is a long run's.
const skip = process.env.TENDRIL_TEST_LONG ? false : 'with --long only';

test('sentinels: commands and blocking ones go to the master', { skip, timeout: 60_000 }, () =>
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
      sleep(50);
      assert.equal(sentinel.get('key'), 'value', 'nobody is stopped');
      popping.pop()?.kill();
      for (const each of popping) {
        sentinel.rPush('list', 'x');
        assert.equal(each.get()?.element, 'x');
      }
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
  }),
);
