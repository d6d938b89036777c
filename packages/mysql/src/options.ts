/** Options: mysql2's own, and what is added to them. */
import { InvalidArgumentError } from '@tendril/core';
import * as driver from 'mysql2';
import type { PoolConnection } from './pool-connection.js';

/** mysql2's options of a connection, and one more. Times are milliseconds. */
export interface ConnectionOptions extends driver.ConnectionOptions {
  /** Milliseconds to wait for one's turn where greenlets share it; default 30,000, Infinity for ever. */
  acquireTimeout?: number;
}

export interface PoolOptions extends driver.PoolOptions {
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
}

/** As mysql2 has it. */
const defaultIdleTimeout = 60_000;
const defaultLimit = 10;

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

/** Takes the pool's options out. @throws InvalidArgumentError */
export function splitOptions(options: PoolOptions): [PoolSettings, driver.ConnectionOptions] {
  const { acquireTimeout, waitForConnections, resetOnRelease, onConnect, ...connection } = options;
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
  };
  return [settings, connection];
}
