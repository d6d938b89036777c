/** Options: node-redis's, ours, and the defaults that differ. */
import { InvalidArgumentError } from '@tendril/core';
import { lookup } from '@tendril/core/resolver';
import { type AnyRedisClientOptions, RedisClient } from 'redis';
import type { CommandOptions } from './raw.js';
import { reasonOf } from './stop.js';

export interface OwnOptions {
  /** Milliseconds to wait for a connection for a blocking command or a transaction; default 30,000. */
  acquireTimeout?: number;
  /** Connections for blocking commands and transactions at most; default 50. */
  blockingConnections?: number;
}

/** Everything that a client needs to know, checked and complete. */
export interface Settings {
  /** For node-redis; without the socket's signal. */
  readonly driver: AnyRedisClientOptions;
  readonly connectTimeout: number;
  /** Milliseconds in which something must come while an answer is due; 0 for no limit. */
  readonly silenceLimit: number;
  /** Of every command, unless it has its own; `timeout` is for how long it waits for the connection. */
  readonly commandOptions: CommandOptions & { timeout: number };
  /** How many commands may. */
  readonly offlineQueue: number;
  /** It does not wait. */
  readonly disableOfflineQueue: boolean;
  readonly acquireTimeout: number | undefined;
  readonly blockingConnections: number;
}

const defaultConnectTimeout = 5000;
const defaultOfflineTimeout = 5000;
const defaultOfflineQueue = 10_000;
const defaultBlockingConnections = 50;
// A peer that is gone without a word (a half-open network) is found within the two together, and an eighth
// of the second.
const defaultPingInterval = 10_000;
const defaultSocketTimeout = 10_000;

/**
 * It goes on after a socketTimeout, too, unlike node-redis's own; and its delays are shorter, because
 * such a delay cannot be ended by close().
 */
function reconnectDelay(retries: number): number {
  return Math.min(2 ** retries * 25, 500) + Math.floor(Math.random() * 100);
}

type SocketOptions = NonNullable<AnyRedisClientOptions['socket']>;
type Given = AnyRedisClientOptions & OwnOptions;

/** For every connection of this package. */
function socketOptions(given: SocketOptions | undefined, idleTimeout: number): SocketOptions {
  const socket = {
    lookup,
    connectTimeout: defaultConnectTimeout,
    reconnectStrategy: reconnectDelay,
    ...given,
    socketTimeout: idleTimeout,
  };
  const { reconnectStrategy: strategy } = socket;
  if (typeof strategy === 'function')
    socket.reconnectStrategy = (retries, cause) => strategy(retries, reasonOf(cause) as Error);
  return socket as SocketOptions;
}

/** @throws InvalidArgumentError; TypeError for what node-redis finds wrong with an URL */
export function settingsOf(options: Given = {}): Settings {
  if (typeof options !== 'object' || options === null)
    throw new InvalidArgumentError('options', 'an object', options);
  const { acquireTimeout, blockingConnections = defaultBlockingConnections, ...given } = options;
  const copy = { ...given, socket: { ...given.socket } } as AnyRedisClientOptions;
  const { url: _url, ...parsed } = RedisClient.parseOptions(copy);
  const { pingInterval = defaultPingInterval } = parsed;
  const { socketTimeout: silenceLimit = defaultSocketTimeout } = parsed.socket ?? {};
  // node-redis's own timer is about connections that are idle, which pings keep from being that. It is
  // for those that it makes for a moment only, to ask a cluster for its nodes; for all others see Pulse.
  const idleTimeout = pingInterval > 0 && silenceLimit > 0 ? pingInterval + silenceLimit : 0;
  const socket = socketOptions(parsed.socket, idleTimeout);
  const driver = {
    maintNotifications: 'disabled',
    ...parsed,
    pingInterval,
    socket,
    // node-redis makes an AbortSignal with a timer for every command that might have to wait for the
    // connection; here its greenlet waits, and sends it when there is one.
    disableOfflineQueue: true,
    commandOptions: { ...parsed.commandOptions, timeout: undefined },
  } as object as AnyRedisClientOptions;
  return {
    driver,
    connectTimeout: socket.connectTimeout ?? defaultConnectTimeout,
    silenceLimit,
    commandOptions: { timeout: defaultOfflineTimeout, ...parsed.commandOptions },
    offlineQueue: parsed.commandsQueueMaxLength ?? defaultOfflineQueue,
    disableOfflineQueue: parsed.disableOfflineQueue ?? false,
    acquireTimeout,
    blockingConnections,
  };
}
