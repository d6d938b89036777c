/** The command line. */
import { parseArgs } from 'node:util';

export const help = `usage: npm run demo -- zero [options]

Serves an unchanged synchronous Express application in four ways, lets clients ask for its pages, and
says how many each way serves.

  --clients N    at once, each on a connection of its own (1000)
  --seconds S    for each way (10)
  --out FILE     a chart of the results, as SVG
  --json         the results as JSON
  --help`;

export class UsageError extends Error {}

export interface Options {
  clients: number;
  seconds: number;
  out: string | undefined;
  json: boolean;
  help: boolean;
}

function parse(args: string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  try {
    const options = { clients: text, seconds: text, out: text, json: flag, help: flag };
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function positive(name: string, text: string | undefined, otherwise: number): number {
  const value = Number(text ?? otherwise);
  if (!(value > 0 && Number.isFinite(value)))
    throw new UsageError(`${name} takes a number above 0, not ${text}`);
  return value;
}

/** @throws UsageError */
export function readOptions(args: string[]): Options {
  const { clients, seconds, out, json, help } = parse(args);
  return {
    clients: Math.ceil(positive('--clients', clients, 1000)),
    seconds: positive('--seconds', seconds, 10),
    out,
    json,
    help,
  };
}
