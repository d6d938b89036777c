/** The command line. */
import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';

export const help = `usage: link-checker [<url> | <folder>] [options]

Checks every link of a web site, of a folder of HTML and Markdown files, or (without an argument) of a
demonstration made of the files of the installed packages.

  --concurrency N   requests at a time (500)
  --timeout MS      for one request (10000; 8000 in the demonstration)
  --max-pages N     URLs to look at (20000; 10000 in the demonstration)
  --external        also check links that leave the site
  --no-fragments    do not check #fragments
  --all             show every broken link
  --json            print the report as JSON
  --strict          exit with 1 when a link is broken
  --quiet           no progress
  --help

Exit codes: 0 done, 1 broken links (with --strict), 2 wrong usage or no such folder, 130 stopped by Ctrl-C.`;

export class UsageError extends Error {}

/** What it was told to check is not there. The usage was right. */
export class TargetError extends Error {
  readonly code = 'ERR_NO_TARGET';
}

export interface Options {
  target: { kind: 'url' | 'folder'; value: string } | undefined;
  concurrency: number;
  timeout: number;
  maxPages: number;
  external: boolean;
  fragments: boolean;
  all: boolean;
  json: boolean;
  strict: boolean;
  quiet: boolean;
  help: boolean;
}

function positive(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new UsageError(`--${name} takes a whole number from 1 on, not ${text}`);
}

function target(text: string | undefined): Options['target'] {
  if (text === undefined) return undefined;
  if (/^https?:\/\//i.test(text)) {
    if (URL.canParse(text)) return { kind: 'url', value: new URL(text).href };
    throw new UsageError(`${text} is not a URL`);
  }
  if (statSync(text, { throwIfNoEntry: false })?.isDirectory())
    return { kind: 'folder', value: text };
  throw new TargetError(`${text} is neither a folder nor an http(s) URL`);
}

/** @throws UsageError, TargetError */
export function readOptions(args: string[]): Options {
  const flag = { type: 'boolean', default: false } as const;
  const text = { type: 'string' } as const;
  let parsed: ReturnType<typeof parse>;
  function parse() {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        concurrency: text,
        timeout: text,
        'max-pages': text,
        external: flag,
        'no-fragments': flag,
        all: flag,
        json: flag,
        strict: flag,
        quiet: flag,
        help: flag,
      },
    });
  }
  try {
    parsed = parse();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { values, positionals } = parsed;
  if (positionals.length > 1) throw new UsageError('one URL or folder at a time');
  const where = target(positionals[0]);
  return {
    target: where,
    concurrency: positive('concurrency', values.concurrency, 500),
    timeout: positive('timeout', values.timeout, where ? 10_000 : 8000),
    maxPages: positive('max-pages', values['max-pages'], where ? 20_000 : 10_000),
    external: values.external,
    fragments: !values['no-fragments'],
    all: values.all,
    json: values.json,
    strict: values.strict,
    quiet: values.quiet || values.json,
    help: values.help,
  };
}
