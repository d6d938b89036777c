#!/usr/bin/env node
/**
 * Not a line changed: a synchronous Express application under plain Node, in processes, in threads,
 * and with `--import @tendril/core/monkey/register`.
 */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { run } from '@tendril/core';
import { asSvg } from './chart.js';
import { help, type Options, readOptions, UsageError } from './options.js';
import { troubleOutside } from './outside.js';
import { asTable, preface } from './report.js';
import { play, type Say, startUpstream } from './round.js';
import { makeWays } from './ways.js';

/** One line that is written over on a terminal; elsewhere a line for each new thing. */
function makeSay(): { say: Say; done: () => void } {
  const { stderr } = process;
  if (stderr.isTTY)
    return {
      say: (text) => stderr.write(`\r\x1b[K${text}`),
      done: () => stderr.write('\r\x1b[K'),
    };
  let last = '';
  const say: Say = (text) => {
    const [topic = ''] = text.split(':');
    if (topic !== last) stderr.write(`${topic}\n`);
    last = topic;
  };
  return { say, done: () => {} };
}

/** Before anything is measured: a module that is missing, a chart that could not be written. */
function check({ out }: Options): void {
  createRequire(import.meta.url).resolve('express');
  if (out !== undefined) closeSync(openSync(out, 'a'));
}

function main(options: Options): void {
  check(options);
  const { say, done } = makeSay();
  const { program, url } = startUpstream();
  using _upstream = program;
  if (!options.json) console.log(`${preface()}\n`);
  const rounds = makeWays(import.meta.resolve('@tendril/core/monkey/register')).map((way) =>
    play(way, url, options, say),
  );
  done();
  if (options.json) console.log(JSON.stringify(rounds, undefined, 2));
  else console.log(asTable(rounds, options.clients));
  if (options.out === undefined) return;
  const title = `One synchronous Express application, ${options.clients} clients`;
  writeFileSync(options.out, asSvg(rounds, title));
  if (!options.json) console.log(`\nThe chart is in ${options.out}`);
}

// The exit ends the processes that have been started.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => process.exit(128 + constants.signals[signal]));

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) console.log(help);
  else await run(() => main(options));
} catch (error) {
  const isUsage = error instanceof UsageError;
  const text = isUsage ? `${error.message}\n\n${help}` : troubleOutside(error);
  if (text === undefined) throw error;
  console.error(text);
  process.exitCode = isUsage ? 2 : 1;
}
