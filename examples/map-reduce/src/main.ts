#!/usr/bin/env node
/** MapReduce over ZeroMQ: the words of many files, counted by many processes. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { run } from '@tendril/core';
import type { Master as MasterClass } from './master.js';
import { help, type Options, readOptions, UsageError } from './options.js';
import { troubleOutside } from './outside.js';
import { wordCount } from './word-count.js';
import { Workers } from './workers.js';

const textFile = /\.(?:txt|md|html?|[cm]?[jt]s|json|py|c|cc|h|rst)$/;

function textFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && textFile.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name));
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  const count = Math.ceil(all.length / size);
  return Array.from({ length: count }, (_, i) => all.slice(i * size, (i + 1) * size));
}

function main(options: Options, files: string[], Master: typeof MasterClass): void {
  const { workers: count, chunk, patience, top } = options;
  using master = new Master(wordCount, { patience: patience * 1000 });
  using workers = new Workers(count, master.bind());
  process.stderr.write(`${files.length} files, workers ${workers.pids.join(', ')}\n`);
  const result = master.run(chunks(files, chunk));
  master.dismiss();
  const sorted = [...result].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  for (const [word, times] of sorted.slice(0, top)) console.log(`${times}\t${word}`);
  process.stderr.write(`parts of each worker: ${[...master.shares.values()].join(', ')}\n`);
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    console.log(help);
  } else {
    const files = textFiles(options.folder);
    // Here, so that a ZeroMQ that is not installed is told as all else that is missing.
    const { Master } = await import('./master.js');
    await run(() => main(options, files, Master));
  }
} catch (error) {
  const isUsage = error instanceof UsageError;
  const text = isUsage ? `${error.message}\n\n${help}` : troubleOutside(error);
  if (text === undefined) throw error;
  console.error(text);
  process.exitCode = isUsage ? 2 : 1;
}
