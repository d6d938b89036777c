#!/usr/bin/env node
/** A link checker in straight-line code: 500 greenlets, a queue, a timeout, and no await. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { GreenletExit, isExit, run, spawn } from '@tendril/core';
import { Crawler } from './crawler.js';
import { type PlantedPaths, plantedPaths, plantedStart } from './demo-site.js';
import { listingQuery } from './folder.js';
import { help, type Options, readOptions, TargetError, UsageError } from './options.js';
import { troubleOutside } from './outside.js';
import { showProgress } from './progress.js';
import { asText, compare, summary } from './report.js';
import { SiteThread } from './site-thread.js';

const installedPackages = path.resolve(
  path.dirname(fileURLToPath(import.meta.url)),
  '../../../node_modules',
);

function main(options: Options): number {
  const { target } = options;
  if (target?.kind === 'url') return check(target.value, options);
  // A folder starts at a list of what it holds; the demonstration at one of what was planted.
  const root = target?.value ?? installedPackages;
  const plantedPerKind = target ? 0 : 15;
  using site = new SiteThread({ root, plantedPerKind });
  const origin = site.start();
  if (target) return check(`${origin}/${listingQuery}`, options, { site });
  return check(`${origin}${plantedStart}`, options, {
    site,
    planted: plantedPaths(plantedPerKind),
  });
}

function check(
  start: string,
  options: Options,
  { site, planted }: { site?: SiteThread; planted?: PlantedPaths } = {},
): number {
  const crawler = new Crawler({ ...options, start });
  const crawl = spawn(() => crawler.run());
  if (site) site.onFailure = (error) => crawl.kill({ error, block: false });
  const progress = options.quiet ? undefined : showProgress(crawler, process.stderr);
  let interrupts = 0;
  const stop = () => {
    if (++interrupts > 1) process.exit(130);
    crawl.kill({ error: new GreenletExit('stopped by Ctrl-C'), block: false });
  };
  process.on('SIGINT', stop);
  try {
    crawl.get();
  } finally {
    process.off('SIGINT', stop);
    progress?.kill();
  }
  const result = crawler.result();
  const comparison = planted && compare(result, planted);
  const stopped = isExit(crawl.value);
  if (options.json) {
    const cleanedUp = crawler.finished === crawler.requests;
    const report = { ...summary(result), cleanedUp, planted: comparison, links: result.broken };
    process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  } else {
    const { origin } = new URL(start);
    process.stdout.write(
      `${asText(result, { origin: `${origin}/`, all: options.all, comparison })}\n`,
    );
    if (stopped)
      process.stdout.write(
        `stopped; ${crawler.finished} of ${crawler.requests} requests cleaned up\n`,
      );
  }
  if (stopped) return 130;
  return options.strict && result.broken.length > 0 ? 1 : 0;
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(`${help}\n`);
  else process.exitCode = await run(() => main(options));
} catch (error) {
  const isUsage = error instanceof UsageError;
  const text = isUsage ? `${error.message}\n\n${help}` : troubleOutside(error);
  if (text === undefined) throw error;
  process.stderr.write(`${text}\n`);
  process.exitCode = isUsage || error instanceof TargetError ? 2 : 1;
}
