/** Who takes part in what, and how to run it. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Field } from './checkouts.js';
import { goProgram, pythonWith, works } from './peer-programs.js';
import { peers } from './peers.js';
import { figures } from './tendril.js';

export interface Contestant {
  name: string;
  figures: ReadonlySet<string>;
  command(figure: string): string[];
}

const here = path.dirname(fileURLToPath(import.meta.url));
const peersFolder = path.join(here, '..', 'peers');

/** Everything is pinned to one processor where that is possible. */
const pin = works('taskset', '-c', '0', 'true') ? ['taskset', '-c', '0'] : [];

const inNode = (name: string, own: object, dist = here, label = name): Contestant => ({
  name: label,
  figures: new Set(Object.keys(own)),
  command: (figure) => [
    ...pin,
    process.execPath,
    '--expose-gc',
    path.join(dist, 'one.js'),
    name,
    figure,
  ],
});

function gevent(): Contestant | undefined {
  const python = pythonWith('gevent');
  if (!python) return undefined;
  const names = Object.keys(figures).filter((name) => !/^(hand-over|scavenge)/.test(name));
  return {
    name: 'gevent',
    figures: new Set(names),
    command: (figure) => [...pin, python, path.join(peersFolder, 'gevent_bench.py'), figure],
  };
}

function go(): Contestant | undefined {
  const binary = goProgram(path.join(peersFolder, 'go', 'main.go'), 'go-bench');
  if (!binary) return undefined;
  return {
    name: 'Go',
    figures: new Set([
      'spawn+join',
      'spawn+join, 1,000 at a time',
      'sleep(0)',
      'Event ping-pong',
      'Queue ping-pong',
      'bytes per parked, depth 15',
    ]),
    command: (figure) => [...pin, binary, figure],
  };
}

/** All that can run here, ours first, and the names of those that cannot. */
export function contestants(field: Field): { present: Contestant[]; absent: string[] } {
  const ours = field.checkouts.map(({ dist, label }) =>
    inNode('tendril', figures, dist, label('tendril')),
  );
  if (!field.peers) return { present: ours, absent: [] };
  const outside = { gevent: gevent(), Go: go() };
  return {
    present: [
      ...ours,
      ...Object.entries(peers).map(([name, own]) => inNode(name, own)),
      ...Object.values(outside).filter((one) => one !== undefined),
    ],
    absent: Object.entries(outside)
      .filter(([, one]) => !one)
      .map(([name]) => name),
  };
}

/** One run in a process of its own; undefined if it failed. */
export function measureOnce(contestant: Contestant, figure: string): number | undefined {
  const [command = '', ...args] = contestant.command(figure);
  const { stdout, status } = spawnSync(command, args, { encoding: 'utf8', timeout: 120_000 });
  const value = Number.parseFloat(stdout);
  return status === 0 && Number.isFinite(value) ? value : undefined;
}
