/** The command line. */
import { parseArgs } from 'node:util';
import { parseBind } from './bind.js';
import { messageOf, UsageError } from './errors.js';
import { listenDescriptors } from './inherited.js';
import { splitApp } from './load-app.js';
import { addressList, milliseconds, mode, oneOf, whole } from './values.js';

/** What the command was told. Plain data, since it goes to the workers as a message. Milliseconds. */
export interface Settings {
  /** `module:app` */
  app: string;
  fetch: boolean;
  bind: string[];
  workers: number;
  /** 0: none. */
  timeout: number;
  /** 0: none. */
  loadTimeout: number;
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
  caCerts?: string;
  certReqs: 'none' | 'optional' | 'required';
  /** Permission bits, as of umask(2) and chmod(2). */
  umask?: number;
  socketMode?: number;
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
  'load-timeout': text,
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
  'ca-certs': text,
  'cert-reqs': text,
  umask: text,
  'socket-mode': text,
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

const logFormats = ['combined', 'json'] as const;
/** gunicorn has numbers for them, those of Python's `ssl`. */
const certReqs = ['none', 'optional', 'required'] as const;

// As in gunicorn, descriptors that were handed on take the place of addresses.
function addresses(bind: string[] | undefined, env: NodeJS.ProcessEnv): string[] {
  for (const each of bind ?? []) parseBind(each);
  const handedOn = listenDescriptors(env, process.pid);
  if (handedOn.length > 0 && !bind?.some((each) => each.startsWith('fd:'))) return handedOn;
  return bind ?? [env.PORT ? `:${env.PORT}` : '127.0.0.1:8000'];
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

  const certReq = values['cert-reqs'];
  const certificates = oneOf(
    '--cert-reqs',
    certReq === undefined ? undefined : (certReqs[Number(certReq)] ?? certReq),
    certReqs,
  );
  if (
    certificates !== 'none' &&
    (values.certfile === undefined || values['ca-certs'] === undefined)
  )
    throw new UsageError(
      '--cert-reqs needs --certfile and --keyfile, and --ca-certs with who may sign.',
    );
  const bind = addresses(values.bind, env);
  const count = (name: keyof typeof values, least: number) => {
    const value = values[name];
    return typeof value === 'string' ? whole(`--${name}`, value, least) : undefined;
  };
  const maxConnections = count('max-connections', 1);
  const spawn = count('spawn', 1);
  const timeout = milliseconds('--timeout', values.timeout, 30_000);
  const settings: Settings = {
    app,
    fetch: values.fetch ?? false,
    bind,
    workers:
      count('workers', 1) ??
      (env.WEB_CONCURRENCY ? whole('WEB_CONCURRENCY', env.WEB_CONCURRENCY, 1) : 1),
    timeout,
    loadTimeout: milliseconds('--load-timeout', values['load-timeout'], Math.max(60_000, timeout)),
    gracefulTimeout: milliseconds('--graceful-timeout', values['graceful-timeout'], 30_000),
    keepAlive: milliseconds('--keep-alive', values['keep-alive'], 5000),
    maxRequests: count('max-requests', 0) ?? 0,
    maxRequestsJitter: count('max-requests-jitter', 0) ?? 0,
    reload: values.reload ?? false,
    preload: values.preload ?? false,
    accessLogFormat: oneOf('--access-log-format', values['access-log-format'], logFormats),
    errorLogfile: values['error-logfile'] ?? '-',
    certReqs: certificates,
    forwardedAllowIps: addressList(
      '--forwarded-allow-ips',
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
  const caCerts = values['ca-certs'];
  if (caCerts !== undefined) settings.caCerts = caCerts;
  if (values.umask !== undefined) settings.umask = mode('--umask', values.umask);
  const socketMode = values['socket-mode'];
  if (socketMode !== undefined) settings.socketMode = mode('--socket-mode', socketMode);
  return { action, settings };
}
