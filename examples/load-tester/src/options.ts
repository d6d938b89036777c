/** The command line. */
import { parseArgs } from 'node:util';

export const help = `usage: npm start -- [options] SCRIPT ORIGIN

Plays SCRIPT, a module whose default export is (session, user) => void, as many users at once against
ORIGIN (http://127.0.0.1:8080), and says how long each page took.

  --users N      at once (100)
  --seconds S    in all (10)
  --ramp-up S    until all users are there (1)
  --timeout S    for a request (30)
  --json         the figures as JSON
  --help

Exit code 1 if anything failed.`;

export class UsageError extends Error {}

export interface Options {
  script: string;
  origin: string;
  users: number;
  seconds: number;
  rampUp: number;
  timeout: number;
  json: boolean;
  help: boolean;
}

function parse(args: string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = { users: text, seconds: text, 'ramp-up': text, timeout: text };
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: { ...options, json: flag, help: flag },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function numberOf(name: string, text: string | undefined, otherwise: number): number {
  const value = Number(text ?? otherwise);
  if (!(value >= 0) || (name === '--users' && !(Number.isInteger(value) && value > 0)))
    throw new UsageError(`${name} takes a number, not ${text}`);
  return value;
}

/** @throws UsageError */
export function readOptions(args: string[]): Options {
  const { values, positionals } = parse(args);
  const [script = '', origin = ''] = positionals;
  if (!values.help) {
    if (positionals.length !== 2) throw new UsageError('SCRIPT and ORIGIN are needed');
    if (!URL.canParse(origin) || !/^https?:$/.test(new URL(origin).protocol))
      throw new UsageError(`ORIGIN is an http: or https: URL, not ${origin}`);
  }
  return {
    script,
    origin,
    users: numberOf('--users', values.users, 100),
    seconds: numberOf('--seconds', values.seconds, 10),
    rampUp: numberOf('--ramp-up', values['ramp-up'], 1),
    timeout: numberOf('--timeout', values.timeout, 30),
    json: values.json,
    help: values.help,
  };
}
