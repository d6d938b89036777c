/** Resolvers side by side, against a name server on loopback that takes its time. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Field } from '../checkouts.js';
import { median } from '../measure.js';
import type { Result } from '../output.js';

const here = path.dirname(fileURLToPath(import.meta.url));
const peers = path.join(here, '..', '..', 'peers');

/** Beside ours. */
const figures: Record<string, { what: string; contestants: string[] }> = {
  '1,000 lookups, 100 ms each (ms)': {
    what: 'distinct',
    contestants: ['dns.promises.resolve4', 'cacheable-lookup', 'gevent'],
  },
  'cached lookup': { what: 'cached', contestants: ['cacheable-lookup'] },
};

interface Contestant {
  name: string;
  label: string;
  dist: string;
}

function measure(
  { name: contestant, dist }: Contestant,
  what: string,
  port: number,
): number | undefined {
  const command =
    contestant === 'gevent'
      ? ['/usr/bin/python3', path.join(peers, 'gevent_lookups.py'), String(port), '1000']
      : [process.execPath, path.join(dist, 'io', 'lookup-one.js'), contestant, what, String(port)];
  const [program = '', ...args] = command;
  const { stdout, status } = spawnSync(program, args, { encoding: 'utf8', timeout: 60_000 });
  const value = Number.parseFloat(stdout);
  return status === 0 && Number.isFinite(value) ? value : undefined;
}

/**
 * dns.lookup is not among them: it asks the machine's own name server, on port 53, and cannot be told
 * otherwise.
 */
export async function measureLookups(runs: number, field: Field): Promise<Result[]> {
  const server = spawn(process.execPath, [path.join(here, 'name-server.js'), '100'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [first] = await once(server.stdout, 'data');
  const port = Number(String(first));
  const results: Result[] = [];
  for (const [figure, { what, contestants: peers }] of Object.entries(figures)) {
    const contestants: Contestant[] = [
      ...field.checkouts.map(({ dist, label }) => ({
        name: 'tendril',
        label: label('tendril'),
        dist,
      })),
      ...(field.peers ? peers : []).map((name) => ({
        name,
        label: name,
        dist: path.dirname(here),
      })),
    ];
    process.stderr.write(`${figure}: ${contestants.map(({ label }) => label).join(', ')}\n`);
    const samples = contestants.map(() => [] as number[]);
    for (let run = 0; run < runs; run++)
      contestants.forEach((contestant, i) => {
        const value = measure(contestant, what, port);
        if (value !== undefined) samples[i]?.push(value);
      });
    contestants.forEach((contestant, i) => {
      const values = samples[i] ?? [];
      if (values.length === 0) process.stderr.write(`  ${contestant.label} failed\n`);
      else
        results.push({
          figure,
          contestant: contestant.label,
          median: median(values),
          min: Math.min(...values),
          max: Math.max(...values),
        });
    });
  }
  server.kill();
  return results;
}
