#!/usr/bin/env node
/** A load tester with scripted users: thousands of scripts in straight-line code, in one process. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { run, sleep, spawn } from '@tendril/core';
import { connect } from '@tendril/core/socket';
import { Metrics } from './metrics.js';
import { help, type Options, readOptions, UsageError } from './options.js';
import { troubleOutside } from './outside.js';
import { asText } from './report.js';
import { type Script, Swarm } from './swarm.js';

async function load(file: string): Promise<Script> {
  const { default: script } = (await import(pathToFileURL(path.resolve(file)).href)) as {
    default?: Script;
  };
  if (typeof script === 'function') return script;
  throw new UsageError(`${file} must have a function as its default export`);
}

function progress(swarm: Swarm): void {
  const { stderr } = process;
  const live = stderr.isTTY === true;
  try {
    for (;;) {
      sleep(live ? 200 : 2000);
      const { count, failed } = swarm.metrics.total;
      const line = `${swarm.users} users, ${count} requests, ${failed} failed`;
      stderr.write(live ? `\r\x1b[K${line}` : `${line}\n`);
    }
  } finally {
    if (live) stderr.write('\r\x1b[K');
  }
}

/** A server that is not there at all is not worth a measurement. Parks. @throws Node's errors with their codes */
function knock(origin: string, timeout: number): void {
  const { protocol, hostname, port } = new URL(origin);
  const usual = protocol === 'https:' ? 443 : 80;
  const host = hostname.replace(/^\[|\]$/g, '');
  connect({ host, port: Number(port || usual), timeout }).destroy();
}

function main(script: Script, options: Options): number {
  const { origin, users, seconds, rampUp, timeout, json } = options;
  knock(origin, timeout * 1000);
  const metrics = new Metrics();
  const settings = { origin, metrics, users, rampUp: rampUp * 1000, timeout: timeout * 1000 };
  const swarm = new Swarm(script, settings);
  const begun = performance.now();
  const running = spawn(() => swarm.run(seconds * 1000));
  const showing = spawn(progress, swarm);
  // Ctrl-C ends the users, and what was measured is still told.
  const stop = () => running.kill({ block: false });
  process.once('SIGINT', stop);
  running.join();
  process.off('SIGINT', stop);
  showing.kill();
  const took = (performance.now() - begun) / 1000;
  if (json) {
    const failures = Object.fromEntries(metrics.failures);
    const pages = metrics.summaries();
    console.log(JSON.stringify({ seconds: took, users, pages, failures }, undefined, 2));
  } else {
    console.log(asText(metrics, took));
  }
  for (const error of swarm.errors.slice(0, 1)) console.error('\nThe script failed:', error);
  return metrics.total.failed > 0 || swarm.errors.length > 0 ? 1 : 0;
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    console.log(help);
  } else {
    const script = await load(options.script);
    process.exitCode = await run(() => main(script, options));
  }
} catch (error) {
  const isUsage = error instanceof UsageError;
  const text = isUsage ? `${error.message}\n\n${help}` : troubleOutside(error);
  if (text === undefined) throw error;
  console.error(text);
  process.exitCode = isUsage ? 2 : 1;
}
