#!/usr/bin/env node
/** Measures every figure for every contestant, interleaved, each run in a process of its own. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { contestants, measureOnce } from './contestants.js';
import { median } from './measure.js';
import { markdown, type Result, svg } from './output.js';
import { figures } from './tendril.js';

const help = `usage: npm run bench -- [--quick] [--runs N] [--only TEXT] [--write]

  --quick   2 runs of each in place of 5
  --runs N  so many runs of each
  --only    figures with this text in their name
  --write   keep the results in benchmarks/results

Prints a Markdown table: medians over processes, and how many times ours each peer is.`;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    runs: { type: 'string' },
    only: { type: 'string', default: '' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function measureAll(): Result[] {
  const runs = Number(values.runs ?? (values.quick ? 2 : 5));
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
  const results = measureAll();
  const machine = `Node ${process.versions.node}, ${cpus()[0]?.model ?? 'unknown processor'}, pinned to one processor`;
  const table = markdown(results, `${machine}. Medians.`);
  process.stdout.write(`\n${table}`);
  if (values.write) {
    const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'results');
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'latest.md'), table);
    writeFileSync(path.join(folder, 'latest.json'), `${JSON.stringify(results, undefined, 2)}\n`);
    writeFileSync(path.join(folder, 'latest.svg'), svg(results, machine));
  }
}
