#!/usr/bin/env node
/**
 * The story that makes people look for green threads: a shop with enough of everything, and one third party
 * that takes five seconds. With a pool of threads all of them hang on that, while processor and
 * database idle; a greenlet that waits is in nobody's way.
 */
import { run } from '@tendril/core';
import { Client } from '@tendril/pg';
import { openCache } from './cache.js';
import { help, type Options, readOptions, UsageError } from './options.js';
import { troubleOutside } from './outside.js';
import { Program } from './program.js';
import { asTable } from './report.js';
import { play, type Say } from './round.js';
import type { ShopSettings } from './shop-server.js';

/** Longer than the third party takes: nobody gives up. */
const patience = 10_000;
/** Connections to a real database, and to the one in WebAssembly, which takes one query at a time. */
const connections = 20;
const embeddedConnections = 4;

/** Before anything is started: what is missing is said once, and not by each process. Parks. */
function check(database: string | undefined, redis: string | undefined): void {
  if (database === undefined) {
    import.meta.resolve('@electric-sql/pglite');
  } else {
    const client = new Client({ connectionString: database });
    client.connect();
    client.end();
  }
  openCache(redis).close();
}

function main(options: Options, say: Say): void {
  const { DATABASE_URL: url, REDIS_URL: redis } = process.env;
  check(url, redis);
  using embedded = url === undefined ? startEmbedded(say) : undefined;
  using services = new Program('third-parties');
  const settings: ShopSettings = {
    database: url ?? `postgres://postgres:postgres@127.0.0.1:${embedded?.first}/postgres`,
    connections: url === undefined ? embeddedConnections : connections,
    services: `http://127.0.0.1:${services.first}`,
    patience,
    ...(redis !== undefined && { redis }),
  };
  const rounds = [
    play('greenlets', settings, options, say),
    play(`${options.limit} in flight`, { ...settings, inFlight: options.limit }, options, say),
  ];
  if (options.json) console.log(JSON.stringify(rounds, undefined, 2));
  else console.log(asTable(rounds));
}

function startEmbedded(say: Say): Program {
  say('starting PostgreSQL in WebAssembly (DATABASE_URL for another one)');
  return new Program('database');
}

const say: Say = (text) => process.stderr.write(`${text}\n`);

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) console.log(help);
  else await run(() => main(options, say));
} catch (error) {
  const isUsage = error instanceof UsageError;
  const text = isUsage ? `${error.message}\n\n${help}` : troubleOutside(error);
  if (text === undefined) throw error;
  console.error(text);
  process.exitCode = isUsage ? 2 : 1;
}
