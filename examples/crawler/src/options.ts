/** The command line. */
import { parseArgs } from 'node:util';
import type { CrawlOptions } from './crawl.js';

export const help = `usage: npm start -- [options] URL

Crawls a site from URL on and writes pages and links to PostgreSQL. Start it several times, also on several
machines: they share the work. A crawl that was killed goes on where it was.

  --database URL   (DATABASE_URL)
  --workers N      pages at a time, each with a connection of its own (20)
  --timeout S      for a page (30)
  --help`;

export class UsageError extends Error {}

export interface Options extends CrawlOptions {
  database: string;
  help: boolean;
}

function parse(args: string[]) {
  const text = { type: 'string' } as const;
  const options = { database: text, workers: text, timeout: text };
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({ args, allowPositionals: true, options: { ...options, help: flag } });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** @throws UsageError */
export function readOptions(args: string[]): Options {
  const { values, positionals } = parse(args);
  const [start = ''] = positionals;
  const database = values.database ?? process.env.DATABASE_URL ?? '';
  const workers = Number(values.workers ?? 20);
  const timeout = Number(values.timeout ?? 30) * 1000;
  if (values.help) return { start, database, workers, timeout, help: true };
  if (positionals.length !== 1 || !URL.canParse(start)) throw new UsageError('one URL is needed');
  if (database === '') throw new UsageError('--database or DATABASE_URL is needed');
  if (!(Number.isInteger(workers) && workers > 0))
    throw new UsageError(`--workers takes a whole number, not ${values.workers}`);
  if (!(timeout > 0)) throw new UsageError(`--timeout takes seconds, not ${values.timeout}`);
  return { start: new URL(start).href, database, workers, timeout, help: false };
}
