/** The command line. */
import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import { parseBind } from './bind.js';
import { messageOf, UsageError } from './errors.js';
import { splitApp } from './load-app.js';

/** What the command was told. Plain data, since it goes to the workers as a message. Milliseconds. */
export interface Settings {
  /** `module:app` */
  app: string;
  fetch: boolean;
  bind: string[];
  workers: number;
  /** 0: none. */
  timeout: number;
  gracefulTimeout: number;
  keepAlive: number;
  /** 0: no limit. */
  maxRequests: number;
  maxRequestsJitter: number;
  maxConnections?: number;
  spawn?: number;
  reload: boolean;
  preload: boolean;
  accessLogfile?: string;
  accessLogFormat: 'combined' | 'json';
  errorLogfile: string;
  forwardedAllowIps: string[];
  certfile?: string;
  keyfile?: string;
  chdir?: string;
  pid?: string;
  name: string;
}

export type Action = 'serve' | 'check' | 'help' | 'version';

export interface Command {
  action: Action;
  settings: Settings;
}

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;

const options = {
  bind: { ...text, short: 'b', multiple: true },
  workers: { ...text, short: 'w' },
  timeout: { ...text, short: 't' },
  'graceful-timeout': text,
  'max-requests': text,
  'max-requests-jitter': text,
  reload: flag,
  'access-logfile': text,
  'access-log-format': text,
  'error-logfile': text,
  'forwarded-allow-ips': text,
  preload: flag,
  'keep-alive': text,
  'max-connections': text,
  spawn: text,
  certfile: text,
  keyfile: text,
  chdir: text,
  pid: { ...text, short: 'p' },
  name: { ...text, short: 'n' },
  fetch: flag,
  'check-config': flag,
  version: { ...flag, short: 'v' },
  help: { ...flag, short: 'h' },
} as const;

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    // Behind the first sentence Node says how to write arguments that begin with a dash.
    const sentence = messageOf(error).split(/\. /, 1)[0] ?? '';
    throw new UsageError(`${sentence.replace(/[.']?$/, (end) => (end === '.' ? '' : end))}.`);
  }
}

function whole(name: string, value: string, least: number): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < least || !Number.isSafeInteger(number))
    throw new UsageError(
      `${name} must be a whole number, ${least} or more; got ${JSON.stringify(value)}.`,
    );
  return number;
}

/** The longest that a timer of Node's can wait, in milliseconds. */
const longest = 2 ** 31 - 1;

function milliseconds(name: string, value: string | undefined, otherwise: number): number {
  if (value === undefined) return otherwise * 1000;
  const ms = Number(value) * 1000;
  if (!/^(?:\d+\.?\d*|\.\d+)$/.test(value) || ms > longest)
    throw new UsageError(`${name} must be a number of seconds; got ${JSON.stringify(value)}.`);
  return ms;
}

function addressList(value: string): string[] {
  const list = value.split(',').map((item) => item.trim());
  const entries = list.filter((item) => item !== '');
  for (const entry of entries) {
    if (entry === '*') continue;
    const [address = '', bits, ...more] = entry.split('/');
    const version = isIP(address);
    const most = version === 4 ? 32 : 128;
    const wellFormed = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
    if (version === 0 || more.length > 0 || !wellFormed)
      throw new UsageError(
        `--forwarded-allow-ips takes addresses, networks or *; got ${JSON.stringify(entry)}.`,
      );
  }
  return entries;
}

function logFormat(value = 'combined'): 'combined' | 'json' {
  if (value === 'combined' || value === 'json') return value;
  throw new UsageError(
    `--access-log-format must be combined or json; got ${JSON.stringify(value)}.`,
  );
}

/** @throws UsageError */
export function parseCommand(args: readonly string[], env: NodeJS.ProcessEnv): Command {
  const { values, positionals } = parsed(args);
  const action: Action = values.help
    ? 'help'
    : values.version
      ? 'version'
      : values['check-config']
        ? 'check'
        : 'serve';
  const [app, ...more] = positionals;
  if (action === 'help' || action === 'version') {
    return { action, settings: {} as Settings };
  }
  if (app === undefined) throw new UsageError('MODULE:APP is missing.');
  if (more.length > 0) throw new UsageError(`There is one MODULE:APP; got also ${more[0]}.`);
  if ((values.certfile === undefined) !== (values.keyfile === undefined))
    throw new UsageError('--certfile and --keyfile go together.');

  const bind = values.bind ?? [env.PORT ? `:${env.PORT}` : '127.0.0.1:8000'];
  for (const each of bind) parseBind(each);
  const count = (name: keyof typeof values, least: number) => {
    const value = values[name];
    return typeof value === 'string' ? whole(`--${name}`, value, least) : undefined;
  };
  const maxConnections = count('max-connections', 1);
  const spawn = count('spawn', 1);
  const settings: Settings = {
    app,
    fetch: values.fetch ?? false,
    bind,
    workers:
      count('workers', 1) ??
      (env.WEB_CONCURRENCY ? whole('WEB_CONCURRENCY', env.WEB_CONCURRENCY, 1) : 1),
    timeout: milliseconds('--timeout', values.timeout, 30),
    gracefulTimeout: milliseconds('--graceful-timeout', values['graceful-timeout'], 30),
    keepAlive: milliseconds('--keep-alive', values['keep-alive'], 5),
    maxRequests: count('max-requests', 0) ?? 0,
    maxRequestsJitter: count('max-requests-jitter', 0) ?? 0,
    reload: values.reload ?? false,
    preload: values.preload ?? false,
    accessLogFormat: logFormat(values['access-log-format']),
    errorLogfile: values['error-logfile'] ?? '-',
    forwardedAllowIps: addressList(
      values['forwarded-allow-ips'] ?? env.FORWARDED_ALLOW_IPS ?? '127.0.0.1,::1',
    ),
    name: values.name ?? splitApp(app).module,
    ...(maxConnections !== undefined && { maxConnections }),
    ...(spawn !== undefined && { spawn }),
  };
  for (const name of ['certfile', 'keyfile', 'chdir', 'pid'] as const) {
    const value = values[name];
    if (value !== undefined) settings[name] = value;
  }
  const accessLogfile = values['access-logfile'];
  if (accessLogfile !== undefined) settings.accessLogfile = accessLogfile;
  return { action, settings };
}
