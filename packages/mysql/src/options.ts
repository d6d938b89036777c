/** Options: mysql2's own, and what is added to them. */
import { InvalidArgumentError } from '@tendril/core';
import * as driver from 'mysql2';
import type { PoolConnection } from './pool-connection.js';

/** Options that mysql2 does not have. Times are milliseconds. */
interface Keeping {
  /**
   * Connections that are dead without a word are found: idle ones by TCP's probes, those with a command under
   * way by a question on a connection beside. Default true; false is also mysql2's `enableKeepAlive: false`.
   */
  keepAlive?: boolean;
  /**
   * Of silence, while somebody waits for the server, before it is asked whether it works on it; 0 or Infinity for
   * never. Default 30,000. TCP's probes have mysql2's `keepAliveInitialDelay`.
   */
  keepAliveInitialDelayMillis?: number;
}

/** mysql2's options of a connection, and some more. Times are milliseconds. */
export interface ConnectionOptions extends driver.ConnectionOptions, Keeping {
  /** Milliseconds to wait for one's turn where greenlets share it; default 30,000, Infinity for ever. */
  acquireTimeout?: number;
}

export interface PoolOptions extends driver.PoolOptions, Keeping {
  /** Milliseconds to wait for a connection, its opening included; default 30,000, Infinity for ever. */
  acquireTimeout?: number;
  /**
   * Called with each new connection before it is lent, and after each reset: SET, session variables. It may
   * park; what it throws is what whoever waited for the connection gets.
   */
  onConnect?: (connection: PoolConnection) => void;
}

/** What the pool itself needs to know. */
export interface PoolSettings {
  readonly max: number;
  readonly maxIdle: number;
  readonly idleTimeout: number;
  readonly maxWaiting: number;
  readonly acquireTimeout: number;
  readonly resetOnRelease: boolean;
  readonly onConnect: ((connection: PoolConnection) => void) | undefined;
  readonly silence: number | undefined;
}

/** As mysql2 has it. */
const defaultIdleTimeout = 60_000;
const defaultLimit = 10;
const defaultSilence = 30_000;

/** In mysql2 a class; its types have only an interface. */
interface ConfigClass {
  parseUrl(uri: string): Record<string, unknown>;
}

/**
 * The options with those of the URI in their places; the options win.
 * @throws InvalidArgumentError
 */
export function readOptions<O extends ConnectionOptions>(options: O | string): O {
  const given = typeof options === 'string' ? ({ uri: options } as O) : options;
  if (typeof given !== 'object' || given === null)
    throw new InvalidArgumentError('options', 'an object, or a URI mysql://…', options);
  const { uri, ...rest } = given;
  if (uri === undefined) return check({ ...given });
  const { ConnectionConfig } = driver as unknown as { ConnectionConfig: ConfigClass };
  try {
    return check({ ...ConnectionConfig.parseUrl(uri), ...rest } as unknown as O);
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw error;
    throw new InvalidArgumentError('uri', 'a URI mysql://…', uri);
  }
}

function check<O extends ConnectionOptions>(options: O): O {
  const { port, connectTimeout } = options;
  if (port !== undefined && !(Number(port) >= 0 && Number(port) <= 65_535))
    throw new InvalidArgumentError('port', 'a whole number from 0 to 65535', port);
  if (connectTimeout !== undefined && !(connectTimeout >= 0))
    throw new InvalidArgumentError('connectTimeout', 'a number of milliseconds', connectTimeout);
  return options;
}

/** 0 is none, as mysql2 has it. */
function limit(name: string, value: number | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (!(Number.isInteger(value) && value >= 0))
    throw new InvalidArgumentError(name, 'a whole number, 0 or more', value);
  return value === 0 ? Number.MAX_SAFE_INTEGER : value;
}

/** What is left for mysql2, and after how much silence the server is asked; undefined for never. */
export function splitKeeping({
  keepAlive,
  keepAliveInitialDelayMillis: delay = defaultSilence,
  ...rest
}: driver.ConnectionOptions & Keeping): [driver.ConnectionOptions, number | undefined] {
  if (!(typeof delay === 'number' && delay >= 0))
    throw new InvalidArgumentError('keepAliveInitialDelayMillis', 'a number, 0 or more', delay);
  const enableKeepAlive = (keepAlive ?? rest.enableKeepAlive) !== false;
  // Nothing gets lost on the way to a socket in the file system; of a stream there is no second one.
  const asks = enableKeepAlive && !rest.socketPath && typeof rest.stream !== 'object';
  const after = delay === 0 || delay === Number.POSITIVE_INFINITY ? undefined : delay;
  return [{ ...rest, enableKeepAlive }, asks ? after : undefined];
}

/** Takes the pool's options out. @throws InvalidArgumentError */
export function splitOptions(options: PoolOptions): [PoolSettings, driver.ConnectionOptions] {
  const { acquireTimeout, waitForConnections, resetOnRelease, onConnect, ...more } = options;
  const [connection, silence] = splitKeeping(more);
  if (onConnect !== undefined && typeof onConnect !== 'function')
    throw new InvalidArgumentError('onConnect', 'a function', onConnect);
  const max = limit('connectionLimit', options.connectionLimit, defaultLimit);
  const queue = limit('queueLimit', options.queueLimit, Number.POSITIVE_INFINITY);
  const { maxIdle } = options;
  if (maxIdle !== undefined && !(Number.isInteger(maxIdle) && maxIdle >= 0))
    throw new InvalidArgumentError('maxIdle', 'a whole number, 0 or more', maxIdle);
  const settings = {
    max,
    maxIdle: maxIdle ?? max,
    idleTimeout: options.idleTimeout ?? defaultIdleTimeout,
    maxWaiting: waitForConnections === false ? 0 : queue,
    acquireTimeout: acquireTimeout ?? 30_000,
    resetOnRelease: resetOnRelease ?? false,
    onConnect,
    silence,
  };
  return [settings, connection];
}
