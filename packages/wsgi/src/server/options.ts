/** What a WSGIServer can be told, and what it does when it is not. */
import { InvalidArgumentError } from '@tendril/core';
import type { BaseServerOptions, ListeningOptions } from '@tendril/core/server';
import { type Limits, limitsOf } from '../http1/limits.js';
import type { AccessLog } from './access-log.js';
import { connectionsThatFit, defaultMaxConnections } from './descriptors.js';

/** Milliseconds; Infinity for none. */
export interface Timeouts {
  /** For a whole request head, from its first byte, or from the connection's beginning. Default 30,000. */
  headersTimeout: number;
  /** Between two pieces of a body while somebody waits for it. Default 30,000. */
  bodyTimeout: number;
  /** For a whole request with its body, from its first byte. Default 300,000. */
  requestTimeout: number;
  /** Between two requests. Default 5,000. */
  keepAliveTimeout: number;
  /** For a client that takes nothing of a response. Default 30,000. */
  sendTimeout: number;
}

export interface WSGIServerOptions
  extends BaseServerOptions,
    ListeningOptions,
    Partial<Limits>,
    Partial<Timeouts> {
  /**
   * Connections at a time; those beyond get 503. Default 65,536, and never more than there are file
   * descriptors for.
   */
  maxConnections?: number;
  /** Requests that wait for a place in the pool of `spawn`; those beyond get 503. Default 1,024. */
  maxWaiting?: number;
  /** Where requests are logged: see {@link AccessLog}. Default: nowhere. */
  log?: AccessLog;
  /** Where errors of the application and `wsgi.errors` go; default stderr. */
  errorLog?: { write(text: string): unknown };
  /**
   * Kills a request's greenlet when its client has gone. True: also when the client has only ended its
   * side of the connection, which browsers do when they go, and `nc -N` when it waits. False: never.
   * Default: when the connection was reset.
   */
  killOnDisconnect?: boolean;
  /** Additions to `environ`, for every request. */
  environ?: Readonly<Record<string, unknown>>;
  /** Said in `environ` as `wsgi.multiprocess`. */
  multiprocess?: boolean;
}

export interface ServerSettings extends Timeouts {
  readonly limits: Limits;
  readonly maxConnections: number;
  readonly maxWaiting: number;
  readonly killOnDisconnect: boolean | undefined;
  /** Clients are asked for a certificate. */
  readonly requestCert: boolean;
  /** `Keep-Alive: timeout=5` and its line end, or nothing. */
  readonly keepAliveField: string;
}

const defaultTimeouts: Readonly<Timeouts> = {
  headersTimeout: 30_000,
  bodyTimeout: 30_000,
  requestTimeout: 300_000,
  keepAliveTimeout: 5_000,
  sendTimeout: 30_000,
};

function numberOf(name: string, value: number | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (!(typeof value === 'number' && value >= 0))
    throw new InvalidArgumentError(name, 'a number, 0 or more', value);
  return value;
}

let warned = false;

// One more than there are descriptors, and connections wait unseen, or the application gets no file.
function connectionsOf(wanted: number | undefined): number {
  const number = numberOf('maxConnections', wanted, defaultMaxConnections);
  const fitting = connectionsThatFit();
  if (number <= fitting) return number;
  if (wanted !== undefined && number !== Number.POSITIVE_INFINITY && !warned) {
    warned = true;
    process.emitWarning(
      `maxConnections is ${number}, and the limit of open files leaves room for ${fitting}: that is taken.`,
      { code: 'TENDRIL_MAX_CONNECTIONS', detail: 'See ulimit -n, or LimitNOFILE of systemd.' },
    );
  }
  return fitting;
}

// Clients that know how long a connection stays open do not send a request into its end.
function keepAliveOf(ms: number): string {
  return ms === Number.POSITIVE_INFINITY ? '' : `Keep-Alive: timeout=${Math.floor(ms / 1000)}\r\n`;
}

/** @throws InvalidArgumentError */
export function settingsOf(options: WSGIServerOptions): ServerSettings {
  const timeouts = { ...defaultTimeouts };
  for (const name of Object.keys(timeouts) as (keyof Timeouts)[])
    timeouts[name] = numberOf(name, options[name], timeouts[name]);
  return {
    ...timeouts,
    limits: limitsOf(options),
    maxConnections: connectionsOf(options.maxConnections),
    maxWaiting: numberOf('maxWaiting', options.maxWaiting, 1024),
    killOnDisconnect: options.killOnDisconnect,
    requestCert: options.tls?.requestCert === true,
    keepAliveField: keepAliveOf(timeouts.keepAliveTimeout),
  };
}
