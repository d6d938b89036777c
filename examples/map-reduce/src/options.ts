/** The command line. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

export const help = `usage: npm start -- [options] FOLDER

Counts the words of all text files in FOLDER and below, with MapReduce on several processes.

  --workers N    processes (one for each processor)
  --chunk N      files of a part (20)
  --patience S   after which a part is given to another worker, too (10)
  --top N        words to show (20)
  --help`;

export class UsageError extends Error {}

export interface Options {
  folder: string;
  workers: number;
  chunk: number;
  patience: number;
  top: number;
  help: boolean;
}

const defaults = { workers: availableParallelism(), chunk: 20, patience: 10, top: 20 };

function parse(args: string[]) {
  const text = { type: 'string' } as const;
  const options = { workers: text, chunk: text, patience: text, top: text };
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
  const [folder = ''] = positionals;
  const options: Options = { ...defaults, folder, help: values.help };
  if (!values.help && positionals.length !== 1) throw new UsageError('one FOLDER is needed');
  for (const name of Object.keys(defaults) as (keyof typeof defaults)[]) {
    const text = values[name];
    if (text === undefined) continue;
    options[name] = Number(text);
    if (!(options[name] > 0)) throw new UsageError(`--${name} takes a number above 0, not ${text}`);
  }
  return options;
}
