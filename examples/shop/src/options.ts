/** The command line. */
import { parseArgs } from 'node:util';

export const help = `usage: npm run demo -- service [options]

Runs a small shop: pages read from PostgreSQL, cache in Redis, and call three third parties, one of which
slows down for a while. 1,000 customers use it before, during and after that; then the same again with a
limit on the requests in flight, as a pool of threads has one.

  --clients N      customers; seven of ten check out, the others look at products (1000)
  --seconds S      length of each stage (6)
  --warm-up S      before the first stage, not counted (4)
  --degraded MS    what the slow third party takes while it is degraded (5000)
  --limit N        requests in flight in the second round (640)
  --json           the figures as JSON
  --help

  DATABASE_URL     a PostgreSQL to use; without it one in WebAssembly is started (PGlite)
  REDIS_URL        a Redis for the cache; without it there is none`;

export class UsageError extends Error {}

export interface Options {
  clients: number;
  seconds: number;
  warmUp: number;
  degraded: number;
  limit: number;
  json: boolean;
  help: boolean;
}

const defaults = { clients: 1000, seconds: 6, warmUp: 4, degraded: 5000, limit: 640 };

function parse(args: string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const numbers = { clients: text, seconds: text, 'warm-up': text, degraded: text, limit: text };
  try {
    return parseArgs({ args, options: { ...numbers, json: flag, help: flag } }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** @throws UsageError */
export function readOptions(args: string[]): Options {
  const values = parse(args);
  const options: Options = { ...defaults, json: values.json, help: values.help };
  for (const name of Object.keys(defaults) as (keyof typeof defaults)[]) {
    const option = name === 'warmUp' ? 'warm-up' : name;
    const text = values[option];
    if (text === undefined) continue;
    options[name] = Number(text);
    if (!(options[name] > 0))
      throw new UsageError(`--${option} takes a number above 0, not ${text}`);
  }
  return options;
}
