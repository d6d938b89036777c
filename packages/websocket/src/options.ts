/** What both sides can be told, and what they do when they are not. */
import { InvalidArgumentError } from '@tendril/core';

/** Times are milliseconds; Infinity for none. */
export interface WebSocketOptions {
  /** Bytes of the longest message that is taken; the peer is sent 1009 beyond. Default 1 MiB. */
  maxPayload?: number;
  /**
   * Compresses messages, if the peer can (RFC 7692). Default false: it costs some 300 KB of memory for
   * each connection, and a little input may become much.
   */
  perMessageDeflate?: boolean;
  /**
   * Between two pings. A peer of whom nothing is heard from one to the next is dead, and the connection
   * is destroyed. Default 30,000 on servers, none on clients.
   */
  pingInterval?: number;
  /** While a peer takes nothing of what is sent; the connection is destroyed then. Default 30,000. */
  sendTimeout?: number;
  /**
   * How long the peer may leave a close unanswered and take nothing of what was sent before, until the
   * connection is destroyed. Default 10,000.
   */
  closeTimeout?: number;
}

export interface Settings {
  readonly maxPayload: number;
  readonly perMessageDeflate: boolean;
  readonly pingInterval: number;
  readonly sendTimeout: number;
  readonly closeTimeout: number;
}

/** Longer than any timer of Node's: such a limit is none. */
const longest = 2 ** 31 - 1;

function time(name: string, value: number | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (!(typeof value === 'number' && value > 0))
    throw new InvalidArgumentError(name, 'a number of milliseconds, more than 0', value);
  return value > longest ? Number.POSITIVE_INFINITY : value;
}

function size(value = 1024 * 1024): number {
  // ws takes 0 for no limit, and reads the number as one of 32 bits.
  if (!(Number.isInteger(value) && value >= 1 && value < 2 ** 31))
    throw new InvalidArgumentError(
      'maxPayload',
      'a whole number of bytes, from 1 to 2^31 - 1',
      value,
    );
  return value;
}

/** @throws InvalidArgumentError */
export function settingsOf(options: WebSocketOptions, pingInterval: number): Settings {
  return {
    maxPayload: size(options.maxPayload),
    perMessageDeflate: options.perMessageDeflate ?? false,
    pingInterval: time('pingInterval', options.pingInterval, pingInterval),
    sendTimeout: time('sendTimeout', options.sendTimeout, 30_000),
    closeTimeout: Math.min(time('closeTimeout', options.closeTimeout, 10_000), longest),
  };
}
