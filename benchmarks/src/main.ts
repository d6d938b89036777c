#!/usr/bin/env node
/** Measures every figure for every contestant, interleaved, each run in a process of its own. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { contestants, measureOnce } from './contestants.js';
import { measureEcho } from './io/echo.js';
import { measureLookups } from './io/lookups.js';
import { median } from './measure.js';
import { markdown, type Result, svg } from './output.js';
import { figures } from './tendril.js';

const help = `usage: npm run bench -- [--io] [--quick] [--runs N] [--only TEXT] [--write]

  --io      sockets and resolvers in place of switches and primitives
  --quick   2 runs of each in place of 5
  --runs N  so many runs of each
  --only    figures with this text in their name
  --write   keep the results in benchmarks/results

Prints a Markdown table: medians over processes, and how many times ours each peer is.`;

const { values } = parseArgs({
  options: {
    io: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    runs: { type: 'string' },
    only: { type: 'string', default: '' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const runs = Number(values.runs ?? (values.quick ? 2 : 5));

function measureAll(): Result[] {
  const { present, absent } = contestants();
  if (absent.length > 0) process.stderr.write(`not installed, left out: ${absent.join(', ')}\n`);
  const results: Result[] = [];
  for (const figure of Object.keys(figures).filter((name) => name.includes(values.only))) {
    const takers = present.filter((one) => one.figures.has(figure));
    const samples = takers.map(() => [] as number[]);
    process.stderr.write(`${figure}: ${takers.map((one) => one.name).join(', ')}\n`);
    for (let run = 0; run < runs; run++) {
      takers.forEach((taker, i) => {
        const value = measureOnce(taker, figure);
        if (value !== undefined) samples[i]?.push(value);
      });
    }
    takers.forEach((taker, i) => {
      const values = samples[i] ?? [];
      if (values.length === 0) process.stderr.write(`  ${taker.name} failed\n`);
      else
        results.push({
          figure,
          contestant: taker.name,
          median: median(values),
          min: Math.min(...values),
          max: Math.max(...values),
        });
    });
  }
  return results;
}

if (values.help) process.stdout.write(`${help}\n`);
else {
  const results = values.io
    ? [...(await measureEcho(runs, values.quick)), ...(await measureLookups(runs))]
    : measureAll();
  const machine = `Node ${process.versions.node}, ${cpus()[0]?.model ?? 'unknown processor'}, ${values.io ? 'servers ' : ''}pinned to one processor`;
  const table = markdown(results, `${machine}. Medians.`);
  process.stdout.write(`\n${table}`);
  if (values.write) {
    const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'results');
    const name = values.io ? 'io' : 'latest';
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, `${name}.md`), table);
    writeFileSync(path.join(folder, `${name}.json`), `${JSON.stringify(results, undefined, 2)}\n`);
    writeFileSync(path.join(folder, `${name}.svg`), svg(results, machine));
  }
}
