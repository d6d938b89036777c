#!/usr/bin/env node
/** A crawler that writes to PostgreSQL: straight-line code, a transaction for each page. */
import { run, sleep, spawn } from '@tendril/core';
import { Pool } from '@tendril/pg';
import { crawl } from './crawl.js';
import { help, type Options, readOptions, UsageError } from './options.js';
import { troubleOutside } from './outside.js';
import { Store } from './store.js';

function main(options: Options): void {
  // One more for the counts.
  const pool = new Pool({ connectionString: options.database, max: options.workers + 1 });
  const store = new Store(pool);
  const progress = spawn(() => {
    for (;;) {
      sleep(1000);
      const { done, open } = store.count();
      process.stderr.write(`${done} pages done, ${open} to do\n`);
    }
  });
  const crawling = spawn(() => {
    store.prepare();
    crawl(store, options);
  });
  const stop = () => crawling.kill({ block: false });
  process.once('SIGINT', stop);
  try {
    crawling.get();
    console.log(`${store.count().done} pages`);
  } finally {
    process.off('SIGINT', stop);
    progress.kill();
    pool.end();
  }
}

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
