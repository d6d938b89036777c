/** Echo servers side by side: throughput, processor time, p99, and memory of a connection at rest. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Checkout, Field } from '../checkouts.js';
import type { Result } from '../output.js';
import { goProgram, pythonWith, works } from '../peer-programs.js';
import { Samples } from '../samples.js';
import { load, open } from './load.js';

const peers = fileURLToPath(new URL('../../peers', import.meta.url));
/** The server has one processor, and the load the others. */
const pin = works('taskset', '-c', '0', 'true') ? ['taskset', '-c', '0'] : [];

function commands({ checkouts, peers: withPeers }: Field): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  const own = (name: string, dist: string, label = name) => {
    found[label] = [process.execPath, path.join(dist, 'io', 'servers.js'), name];
  };
  for (const name of ['tendril', 'tendril, per input'])
    for (const { dist, label } of checkouts) own(name, dist, label(name));
  if (!withPeers) return found;
  own('node:net', (checkouts[0] as Checkout).dist);
  const python = pythonWith('gevent');
  if (python) found.gevent = [python, path.join(peers, 'gevent_echo.py')];
  const binary = goProgram(path.join(peers, 'go-echo', 'main.go'), 'go-echo');
  if (binary) found.Go = [binary];
  return found;
}

async function startServer(command: string[]): Promise<{ child: ChildProcess; port: number }> {
  const [program = '', ...args] = [...pin, ...command];
  // gevent reports every reset connection there.
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const [first] = await once(child.stdout as NodeJS.ReadableStream, 'data');
  return { child, port: Number(String(first)) };
}

/** Microseconds of processor time so far. */
function processorTime(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000; // clock ticks of 10 ms
}

function resident(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

async function stopServer(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

const named = (connections: number) => connections.toLocaleString('en-US');

async function measureThroughput(
  samples: Samples,
  servers: Record<string, string[]>,
  connections: number,
  seconds: number,
) {
  for (const [name, command] of Object.entries(servers)) {
    const { child, port } = await startServer(command);
    const pid = child.pid as number;
    await load(port, connections, Math.min(1, seconds)); // warms the server up
    const before = processorTime(pid);
    const { rate, p99, errors } = await load(port, connections, seconds);
    const spent = processorTime(pid) - before;
    await stopServer(child);
    if (errors > 0) throw new Error(`${name}: ${errors} errors`);
    const label = `echo, ${named(connections)} connection${connections === 1 ? '' : 's'}`;
    samples.note(`${label}, per message`, name, 1e9 / rate);
    samples.note(`${label}, processor time`, name, (spent * 1000) / (rate * seconds));
    samples.note(`${label}, p99 (ms)`, name, p99);
  }
}

async function measureRest(
  samples: Samples,
  servers: Record<string, string[]>,
  connections: number,
) {
  for (const [name, command] of Object.entries(servers)) {
    const { child, port } = await startServer(command);
    const pid = child.pid as number;
    await load(port, 10, 0.5);
    const before = resident(pid);
    const sockets = await open(port, connections);
    for (const socket of sockets) socket.write('x');
    await Promise.all(sockets.map((socket) => once(socket, 'data')));
    await new Promise((resolve) => setTimeout(resolve, 500));
    samples.note(
      `bytes per connection at rest, of ${named(connections)}`,
      name,
      (resident(pid) - before) / connections,
    );
    for (const socket of sockets) socket.destroy();
    await stopServer(child);
  }
}

/** All of it, `runs` times; interleaved, so that a slow moment of the machine hits all alike. */
export async function measureEcho(runs: number, quick: boolean, field: Field): Promise<Result[]> {
  const samples = new Samples();
  const servers = commands(field);
  for (let run = 0; run < runs; run++) {
    for (const connections of [1, 100, 1000, 10_000]) {
      process.stderr.write(`echo, ${named(connections)} connections\n`);
      await measureThroughput(samples, servers, connections, quick ? 1 : 3);
    }
    await measureRest(samples, servers, 5000);
  }
  return samples.results();
}
