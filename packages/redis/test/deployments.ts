/** Clusters and sentinels for tests. */
import { spawn as spawnProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Service, startService } from '@tendril/adapter-suite';
import { sleep, wait, withTimeout } from '@tendril/core';
import { type Client, createClient, createCluster, createSentinel } from '@tendril/redis';
import { clientOf, freePort, password } from './helpers.js';

/** Milliseconds after which the servers take one for dead. */
const nodeTimeout = 1000;

/** The nodes of a cluster, each with a connection of its own. */
export class TestCluster {
  readonly services: Service[];
  readonly nodes: Client[];

  /** Three masters, a third of the slots each, and replicas of the first ones. */
  constructor(replicas = 0) {
    const buses = Array.from({ length: 3 + replicas }, freePort);
    const starting = buses.map((bus) => {
      const own = ['--cluster-enabled', 'yes', '--cluster-port', String(bus)];
      const auth = ['--masterauth', password, '--repl-diskless-sync-delay', '0'];
      const limits = ['--cluster-node-timeout', String(nodeTimeout)];
      return startService('redis', [...own, ...auth, ...limits]);
    });
    this.services = starting.map((each) => wait(each));
    this.nodes = this.services.map((service) => clientOf({}, service));
    const { host, port } = this.services[0] as Service;
    for (const node of this.nodes.slice(1))
      node.sendCommand(['CLUSTER', 'MEET', host, String(port), String(buses[0])]);
    for (const [i, node] of this.nodes.slice(0, 3).entries()) {
      const from = Math.ceil((16_384 / 3) * i);
      const to = Math.ceil((16_384 / 3) * (i + 1)) - 1;
      node.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', String(from), String(to)]);
    }
    this.#until(() => this.nodes.every((node) => this.#isReady(node)));
    for (const [i, replica] of this.nodes.slice(3).entries()) {
      const id = this.id(i);
      replica.sendCommand(['CLUSTER', 'REPLICATE', id]);
      this.#until(() => replica.info('replication').includes('master_link_status:up'));
    }
    if (replicas > 0) this.#until(() => this.nodes.every((node) => this.#knowsReplicas(node)));
  }

  #until(holds: () => boolean): void {
    withTimeout(30_000, () => {
      while (!holds()) sleep(20);
    });
  }

  #isReady(node: Client): boolean {
    const info = String(node.sendCommand(['CLUSTER', 'INFO']));
    const known = `cluster_known_nodes:${this.nodes.length}`;
    return info.includes('cluster_state:ok') && info.includes(known);
  }

  #knowsReplicas(node: Client): boolean {
    const all = String(node.sendCommand(['CLUSTER', 'NODES']));
    return (all.match(/slave/g) ?? []).length === this.nodes.length - 3;
  }

  id(node: number): string {
    return String(this.nodes[node]?.sendCommand(['CLUSTER', 'MYID']));
  }

  /** A key of that master's. */
  keyOf(node: number): string {
    for (let n = 0; ; n++) {
      const slot = Number(this.nodes[node]?.clusterKeySlot(`k${n}`));
      if (Math.floor(slot / (16_384 / 3)) === node) return `k${n}`;
    }
  }

  client(options: object = {}) {
    return createCluster({
      rootNodes: this.services.map(({ host, port }) => ({ socket: { host, port } })),
      defaults: { password },
      ...options,
    });
  }

  stop(): void {
    for (const node of this.nodes) node.destroy();
    for (const each of this.services.map((service) => service.stop())) wait(each);
  }
}

/** A master, replicas of it, and a sentinel that sees to them. */
export class TestSentinel {
  readonly servers: Service[];
  readonly port = freePort();
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'tendril-sentinel-'));
  readonly #process;
  readonly #exited;

  constructor(replicas = 0) {
    const auth = ['--masterauth', password, '--repl-diskless-sync-delay', '0'];
    const master = wait(startService('redis', auth));
    const following = ['--replicaof', master.host, String(master.port), ...auth];
    const others = Array.from({ length: replicas }, () => startService('redis', following));
    this.servers = [master, ...others.map((each) => wait(each))];
    const lines = [
      `port ${this.port}`,
      'bind 127.0.0.1',
      `dir ${this.#folder}`,
      `sentinel monitor main ${master.host} ${master.port} 1`,
      `sentinel auth-pass main ${password}`,
      'sentinel down-after-milliseconds main 500',
      'sentinel failover-timeout main 3000',
    ];
    const file = path.join(this.#folder, 'sentinel.conf');
    writeFileSync(file, lines.join('\n'));
    this.#process = spawnProcess('redis-server', [file, '--sentinel'], { stdio: 'ignore' });
    this.#exited = once(this.#process, 'exit');
    withTimeout(30_000, () => {
      const asking = createClient({ socket: { host: '127.0.0.1', port: this.port } }).connect();
      const known = `slaves=${replicas}`;
      while (!String(asking.sendCommand(['INFO', 'sentinel'])).includes(known)) sleep(50);
      asking.close();
    });
  }

  client(options: object = {}) {
    return createSentinel({
      name: 'main',
      sentinelRootNodes: [{ host: '127.0.0.1', port: this.port }],
      nodeClientOptions: { password },
      ...options,
    });
  }

  stop(): void {
    this.#process.kill();
    wait(this.#exited);
    rmSync(this.#folder, { recursive: true, force: true });
    for (const each of this.servers.map((service) => service.stop())) wait(each);
  }
}
