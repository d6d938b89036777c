#!/usr/bin/env node
/** Measures every figure for every contestant, interleaved, each run in a process of its own. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { measureAdapters } from './adapters/adapters.js';
import { checkouts, type Field } from './checkouts.js';
import { contestants, measureOnce } from './contestants.js';
import { measureCalls } from './fs/calls.js';
import { measureHttp } from './http/http.js';
import { measureEcho } from './io/echo.js';
import { measureLookups } from './io/lookups.js';
import { median } from './measure.js';
import { markdown, type Result, svg } from './output.js';
import { figures } from './tendril.js';

const help = `usage: npm run bench -- [--io | --http | --adapters | --fs] [--quick] [--runs N] [--only TEXT] [--write]
                       [--against FOLDER] [--no-peers]

  --io      sockets and resolvers in place of switches and primitives
  --http    HTTP servers, under wrk and ab
  --adapters
            clients of PostgreSQL, MySQL, Redis, memcached and ZeroMQ, against real servers
  --fs      calls of fs: parked, which is ours, and in one piece
  --node N  with --http and --adapters: what is Node's runs on its major version N, out of tools/nodes
  --quick   2 runs of each in place of 5
  --runs N  so many runs of each
  --only    figures with this text in their name
  --against FOLDER
            ours also as it is in another checkout, built, in the same run: before and after
  --no-peers
            ours alone
  --write   keep the results in benchmarks/results

Prints a Markdown table: medians over processes, and how many times ours each peer is.`;

const { values } = parseArgs({
  options: {
    io: { type: 'boolean', default: false },
    http: { type: 'boolean', default: false },
    adapters: { type: 'boolean', default: false },
    fs: { type: 'boolean', default: false },
    node: { type: 'string' },
    quick: { type: 'boolean', default: false },
    runs: { type: 'string' },
    only: { type: 'string', default: '' },
    against: { type: 'string' },
    'no-peers': { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const runs = Number(values.runs ?? (values.quick ? 2 : 5));
const field = chooseField();

function chooseField(): Field {
  try {
    return { checkouts: checkouts(values.against), peers: !values['no-peers'] };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(2);
  }
}

function measureAll(): Result[] {
  const { present, absent } = contestants(field);
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

interface Measured {
  /** Of the files in benchmarks/results. */
  name: string;
  results: Result[];
  /** Where and how. */
  heading: string;
  /** What else the table says above itself. */
  details?: string;
}

const model = cpus()[0]?.model ?? 'unknown processor';

async function measure(): Promise<Measured> {
  const node = `Node ${process.versions.node}`;
  if (values.http) {
    const { quick, only } = values;
    const { results, versions } = await measureHttp({
      field,
      runs,
      quick,
      only,
      node: values.node,
    });
    const [servers, ...others] = versions;
    const heading = `${servers}, ${model}, servers pinned to one processor`;
    return {
      name: 'http',
      results,
      heading,
      details: ` wrk with 100 connections. ${others.join(', ')}.`,
    };
  }
  if (values.adapters) {
    const { quick, only } = values;
    const measured = await measureAdapters({ field, runs, quick, only, node: values.node });
    const [clients, ...others] = measured.versions;
    return {
      name: 'adapters',
      results: measured.results,
      heading: `${clients}, ${model}`,
      details: ` ${measured.placed}. 50 questions under way, on a pool of 10 or on one connection. ${others.join(', ')}.`,
    };
  }
  if (values.fs)
    return { name: 'fs', results: await measureCalls(runs), heading: `${node}, ${model}` };
  if (!values.io)
    return {
      name: 'latest',
      results: measureAll(),
      heading: `${node}, ${model}, pinned to one processor`,
    };
  const results = [
    ...(await measureEcho(runs, values.quick, field)),
    ...(await measureLookups(runs, field)),
  ];
  return { name: 'io', results, heading: `${node}, ${model}, servers pinned to one processor` };
}

if (values.help) process.stdout.write(`${help}\n`);
else {
  const { name, results, heading, details = '' } = await measure();
  const table = markdown(results, `${heading}.${details} Medians.`);
  process.stdout.write(`\n${table}`);
  if (values.write) {
    const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'results');
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, `${name}.md`), table);
    writeFileSync(path.join(folder, `${name}.json`), `${JSON.stringify(results, undefined, 2)}\n`);
    writeFileSync(path.join(folder, `${name}.svg`), svg(results, heading));
  }
}
