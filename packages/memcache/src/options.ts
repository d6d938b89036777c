/** Options: memjs's names and units, with the defaults of this package. */
import { InvalidArgumentError } from '@tendril/core';
import type { ClientOptions, ServerOptions } from 'memjs';

/** memjs's, times in seconds, and two more. `keepAlive` is on unless told otherwise. */
export interface Options<TIn = string | Buffer, TOut = Buffer | null>
  extends ClientOptions<TIn, TOut>,
    ServerOptions {
  /** Commands that may be on their way to a server; those beyond wait. Default 1,000. */
  maxPending?: number;
  /** Milliseconds that a command waits for its turn; default 30,000. */
  acquireTimeout?: number;
}

/** What servers and connections need, complete and checked. Times are milliseconds. */
export interface Settings {
  readonly timeout: number;
  readonly conntimeout: number;
  readonly failover: boolean;
  readonly failoverTime: number;
  readonly retries: number;
  readonly retryDelay: number;
  readonly keepAlive: boolean;
  readonly keepAliveDelay: number;
  readonly maxPending: number;
  readonly acquireTimeout: number;
  readonly log: (message: string) => void;
}

function milliseconds(name: string, seconds: number, from = 0): number {
  if (typeof seconds === 'number' && seconds >= from) return seconds * 1000;
  throw new InvalidArgumentError(name, `a number of seconds from ${from} on`, seconds);
}

function whole(name: string, value: number, from: number): number {
  if (Number.isInteger(value) && value >= from) return value;
  throw new InvalidArgumentError(name, `a whole number from ${from} on`, value);
}

/** Shorter is a mistake in the unit, and would let nothing through. */
const shortest = 0.001;

/** @throws InvalidArgumentError */
export function readOptions(options: Options<never, unknown>): Settings {
  const timeout = milliseconds('timeout', options.timeout ?? 0.5, shortest);
  const { acquireTimeout = 30_000, logger } = options;
  if (!(acquireTimeout >= 0))
    throw new InvalidArgumentError('acquireTimeout', 'a number of milliseconds', acquireTimeout);
  return {
    timeout,
    conntimeout: milliseconds('conntimeout', options.conntimeout ?? timeout / 500, shortest),
    failover: options.failover ?? true,
    failoverTime: milliseconds('failoverTime', options.failoverTime ?? 60),
    retries: whole('retries', options.retries ?? 2, 0),
    retryDelay: milliseconds('retry_delay', options.retry_delay ?? 0.2),
    keepAlive: options.keepAlive ?? true,
    keepAliveDelay: milliseconds('keepAliveDelay', options.keepAliveDelay ?? 30),
    maxPending: whole('maxPending', options.maxPending ?? 1000, 1),
    acquireTimeout,
    log: (message) => logger?.log(message),
  };
}
