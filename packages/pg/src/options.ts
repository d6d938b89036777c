/** What clients and pools can be told, with pg's names; times are milliseconds unless the name differs. */
import { InvalidArgumentError } from '@tendril/core';
import type { ClientConfig } from 'pg';
import type { ClientBase } from './client-base.js';
import type { Notice } from './driver.js';

export interface ClientOptions extends ClientConfig {
  /** For name, connection, TLS and login together; 0 for no limit. Default 10,000. */
  connectionTimeoutMillis?: number | undefined;
  /**
   * To wait for one's turn on a client that other greenlets use or have a transaction on; for a pool to wait for a
   * connection, the making of a new one included. Default `connectionTimeoutMillis` if that is given, else 30,000.
   */
  acquireTimeout?: number | undefined;
  /**
   * Connections that are dead without a word are found: idle ones by TCP's probes, those with a query under way
   * by a question on a connection beside. Default true.
   */
  keepAlive?: boolean | undefined;
  /** Of silence, before it is looked whether the server is still there. Default 30,000. */
  keepAliveInitialDelayMillis?: number | undefined;
  /** Called for each NOTICE and WARNING of the server. */
  onNotice?: (notice: Notice) => void;
}

export interface PoolOptions extends Omit<ClientOptions, 'pipeline'> {
  /** Connections at most. Default 10. */
  max?: number | undefined;
  /** After which a connection that nobody uses is closed; 0 for never. Default 10,000. */
  idleTimeoutMillis?: number | null | undefined;
  /** How often a connection is lent before it is replaced. Default no limit. */
  maxUses?: number | undefined;
  /** Seconds after which a connection is not lent any more; 0 for no limit, the default. */
  maxLifetimeSeconds?: number | undefined;
  /** How many greenlets may wait for one; those beyond fail at once. Default no limit. */
  maxWaiting?: number | undefined;
  /**
   * Runs on each new connection before it is lent, and again on one that was reset, and may park:
   * `SET search_path …`.
   */
  onConnect?: (client: ClientBase) => void;
  /** Called when a connection breaks that nobody uses: it is replaced when one is wanted. */
  onError?: (error: Error) => void;
}

const defaultConnectionTimeout = 10_000;
const defaultKeepAlive = 30_000;

/** @throws InvalidArgumentError unless it is a number from 0 on; pg takes 0 for none */
export function limit(
  name: string,
  value: number | null | undefined,
  otherwise: number,
): number | undefined {
  const ms = value ?? otherwise;
  if (!(typeof ms === 'number' && ms >= 0))
    throw new InvalidArgumentError(name, 'a number, 0 or more', ms);
  return ms === 0 || ms === Number.POSITIVE_INFINITY ? undefined : ms;
}

/** @throws InvalidArgumentError */
export function connectionTimeout(options: ClientOptions): number | undefined {
  return limit(
    'connectionTimeoutMillis',
    options.connectionTimeoutMillis,
    defaultConnectionTimeout,
  );
}

/**
 * How long a pool's greenlets wait for a connection: undefined for core's default. pg's
 * `connectionTimeoutMillis` bounds that, too.
 * @throws InvalidArgumentError
 */
export function acquireTimeout(options: ClientOptions): number | undefined {
  const { acquireTimeout: own, connectionTimeoutMillis } = options;
  if (connectionTimeoutMillis === undefined) return own;
  const bound = connectionTimeout(options) ?? Number.POSITIVE_INFINITY;
  return own === undefined ? bound : Math.min(own, bound);
}

/** For pg. */
export function keepAliveOf(options: ClientOptions): ClientConfig {
  const { keepAlive = true, keepAliveInitialDelayMillis = defaultKeepAlive } = options;
  return { keepAlive, keepAliveInitialDelayMillis };
}

/** Milliseconds of silence before the server is asked about it; undefined: it is not asked. */
export function silenceLimit(options: ClientOptions): number | undefined {
  const { keepAlive, keepAliveInitialDelayMillis } = keepAliveOf(options);
  const after = limit('keepAliveInitialDelayMillis', keepAliveInitialDelayMillis, defaultKeepAlive);
  return keepAlive ? after : undefined;
}

/** A connection string alone, or options. @throws InvalidArgumentError */
export function optionsOf<T extends ClientOptions>(options: string | T | undefined): T {
  if (typeof options === 'string') return { connectionString: options } as T;
  if (options !== undefined && (typeof options !== 'object' || options === null))
    throw new InvalidArgumentError('options', 'an object or a connection string', options);
  return { ...options } as T;
}
