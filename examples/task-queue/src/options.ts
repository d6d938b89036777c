/** The command line. */
import { parseArgs } from 'node:util';

export const help = `usage: npm start -- [options] COMMAND

  put KIND PAYLOAD   puts a task in line; PAYLOAD is JSON
  work MODULE        works off tasks by the default export of MODULE, (task) => void
  status             how many tasks there are

  --redis URL        (REDIS_URL, or redis://127.0.0.1:6379)
  --queue NAME       (tasks)
  --concurrency N    tasks at a time (10)
  --give-up S        seconds after which a task of a worker that died is taken over (30)
  --attempts N       times that a task is tried (3)
  --help`;

export class UsageError extends Error {}

export interface Options {
  command: string;
  args: string[];
  redis: string;
  queue: string;
  concurrency: number;
  giveUp: number;
  attempts: number;
  help: boolean;
}

/** How many arguments each command takes. */
const commands: Readonly<Record<string, number>> = { put: 2, work: 1, status: 0 };

function parse(args: string[]) {
  const text = { type: 'string' } as const;
  const options = { redis: text, queue: text, concurrency: text, 'give-up': text, attempts: text };
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({ args, allowPositionals: true, options: { ...options, help: flag } });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function numberOf(name: string, text: string | undefined, otherwise: number): number {
  const value = Number(text ?? otherwise);
  if (!(value > 0)) throw new UsageError(`--${name} takes a number above 0, not ${text}`);
  return value;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** @throws UsageError */
export function readOptions(argv: string[]): Options {
  const { values, positionals } = parse(argv);
  const [command = '', ...args] = positionals;
  if (!values.help && (!Object.hasOwn(commands, command) || args.length !== commands[command]))
    throw new UsageError(`a command is needed: ${Object.keys(commands).join(', ')}`);
  if (command === 'put' && !isJson(args[1] ?? ''))
    throw new UsageError(`PAYLOAD is JSON, not ${args[1]}`);
  const redis = values.redis ?? process.env.REDIS_URL ?? 'redis://127.0.0.1:6379';
  if (!/^rediss?:$/.test(URL.canParse(redis) ? new URL(redis).protocol : ''))
    throw new UsageError(`--redis takes a redis: or rediss: URL, not ${redis}`);
  return {
    command,
    args,
    redis,
    queue: values.queue ?? 'tasks',
    concurrency: numberOf('concurrency', values.concurrency, 10),
    giveUp: numberOf('give-up', values['give-up'], 30) * 1000,
    attempts: numberOf('attempts', values.attempts, 3),
    help: values.help,
  };
}
