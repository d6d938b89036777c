/** Types: node-redis's commands, with values in place of promises. */
import type { TimeoutOption } from '@tendril/core';
import type {
  RedisArgument,
  RedisClientOptions,
  RedisClientType,
  RedisClusterType,
  RedisFunctions,
  RedisModules,
  RedisScripts,
  RedisSentinelType,
  RespVersions,
  TypeMapping,
} from 'redis';
import type { ClientBase } from './client.js';
import type { ClientPoolBase } from './client-pool.js';
import type { ClusterBase } from './cluster.js';
import type { OwnOptions } from './options.js';
import type { CommandOptions } from './raw.js';
import type { SentinelBase } from './sentinel.js';
import type { SessionBase } from './session.js';
import type { SubscribeOptions, Subscription } from './subscription.js';
import type { TransactionOptions } from './transaction.js';

export type Modules = RedisModules;
export type Functions = RedisFunctions;
export type Scripts = RedisScripts;
export type Versions = RespVersions;
export type Mapping = TypeMapping;
export type None = Record<never, never>;

type Asking = (...args: never) => Promise<unknown>;

/** For sessions only: on a shared connection the EXEC of another greenlet would end a WATCH. */
type SessionOnly = 'watch' | 'WATCH' | 'unwatch' | 'UNWATCH';

/** Methods of the driver that are no commands of Redis, or are ours. */
type Apart =
  | keyof ClientBase
  | 'connect'
  | 'MONITOR'
  | 'monitor'
  | 'QUIT'
  | 'quit'
  | 'disconnect'
  | 'reset'
  | 'extendPubSubChannelListeners'
  | 'extendPubSubListeners'
  | 'reAuthenticate'
  | 'nodeClient'
  | 'getNodeClientForKey'
  | 'use'
  | 'acquire'
  | SessionOnly
  | 'execute'
  | Uppercase<'subscribe' | 'pSubscribe' | 'sSubscribe'>
  | `${'' | 'p' | 's'}${'Unsubscribe' | 'unsubscribe'}`
  | `${'' | 'P' | 'S'}UNSUBSCRIBE`
  | `_${string}`;

/** The value that a promise of the driver's would have. */
export type Parking<T> = T extends (...args: infer A) => Promise<infer R>
  ? (...args: A) => R
  : never;

type CommandsOnly<T> = {
  [K in keyof T as K extends Apart ? never : T[K] extends Asking ? K : never]: Parking<T[K]>;
};

type Namespaces<T> = {
  [K in keyof T as K extends Apart | 'options' | 'clientSideCache'
    ? never
    : T[K] extends Record<string, Asking>
      ? K
      : never]: {
    [C in keyof T[K]]: Parking<T[K][C]>;
  };
};

/** All commands of a client of the driver's, its modules, functions and scripts. */
export type CommandsOf<T> = CommandsOnly<T> & Namespaces<T>;

/** Commands to be sent together; `R` are their replies. */
export type Multi<T, R extends unknown[] = []> = {
  [K in keyof T as K extends Apart ? never : T[K] extends Asking ? K : never]: Adding<T, R, T[K]>;
} & {
  [K in keyof T as T[K] extends Record<string, Asking> ? K : never]: {
    [C in keyof T[K]]: Adding<T, R, T[K][C]>;
  };
} & {
  select(database: number): Multi<T, [...R, unknown]>;
  addCommand(args: RedisArgument[]): Multi<T, [...R, unknown]>;
  sendCommand(args: readonly RedisArgument[]): Multi<T, [...R, unknown]>;
  /** MULTI … EXEC. @throws WatchError, MultiErrorReply */
  exec(asPipeline?: boolean): R;
  EXEC(asPipeline?: boolean): R;
  execTyped(asPipeline?: boolean): R;
  /** Without MULTI: others' commands may come in between. */
  execAsPipeline(): R;
  execAsPipelineTyped(): R;
};

type Adding<T, R extends unknown[], F> = F extends (...args: infer A) => Promise<infer V>
  ? (...args: A) => Multi<T, [...R, V]>
  : never;

type Iterated<F> = F extends (this: never, ...args: infer A) => AsyncGenerator<infer V>
  ? (...args: A) => Generator<V, void, undefined>
  : never;

type Scanning =
  | 'scanIterator'
  | `${'h' | 's' | 'z'}ScanIterator`
  | `hScan${'Values' | 'NoValues'}Iterator`;

/** What clients, pools and sessions have in common. */
export type Shared<T> = CommandsOf<T> & {
  multi(): Multi<T>;
  MULTI(): Multi<T>;
} & { [K in Scanning & keyof T]: Iterated<T[K]> };

export interface ClientOptions<
  M extends Modules = Modules,
  F extends Functions = Functions,
  S extends Scripts = Scripts,
  RESP extends Versions = 3,
  T extends Mapping = Mapping,
> extends RedisClientOptions<M, F, S, RESP, T>,
    OwnOptions {}

/** Messages are strings, or Buffers with `bufferMode`. */
export interface Subscribe {
  (
    channels: string | readonly string[],
    options: SubscribeOptions & { bufferMode: true },
  ): Subscription<Buffer>;
  (channels: string | readonly string[], options?: SubscribeOptions): Subscription<string>;
}

/** What returns something of the client's own type. */
type Views =
  | `with${string}`
  | 'asap'
  | 'on'
  | 'once'
  | 'off'
  | 'connect'
  | 'multi'
  | 'MULTI'
  | 'execute'
  | 'transaction';
type Hidden = 'call' | 'callBlocking' | 'end';
type Listener = (...args: never[]) => void;

export type Session<
  M extends Modules = None,
  F extends Functions = None,
  S extends Scripts = None,
  RESP extends Versions = 3,
  T extends Mapping = None,
> = Omit<SessionBase, Views | Scanning | Hidden> & Shared<RedisClientType<M, F, S, RESP, T>>;

/** What returns a client, or takes functions that get a session. */
interface Lending<SELF, SESSION> {
  connect(options?: TimeoutOption): SELF;
  withAbortSignal(abortSignal: AbortSignal): SELF;
  asap(): SELF;
  on(event: string, listener: Listener): SELF;
  once(event: string, listener: Listener): SELF;
  off(event: string, listener: Listener): SELF;
  execute<R>(fn: (session: SESSION) => R): R;
  transaction<R extends unknown[]>(
    keys: RedisArgument | RedisArgument[],
    fn: (session: SESSION) => { execTyped(): R } | undefined,
    options?: TransactionOptions,
  ): R | undefined;
}

export type Client<
  M extends Modules = None,
  F extends Functions = None,
  S extends Scripts = None,
  RESP extends Versions = 3,
  T extends Mapping = None,
> = Omit<ClientBase, Views | Scanning | Hidden | `${string}ubscribe`> &
  Shared<RedisClientType<M, F, S, RESP, T>> &
  Lending<Client<M, F, S, RESP, T>, Session<M, F, S, RESP, T>> & {
    withCommandOptions<V extends Mapping = T>(options: CommandOptions<V>): Client<M, F, S, RESP, V>;
    withTypeMapping<V extends Mapping>(typeMapping: V): Client<M, F, S, RESP, V>;
    subscribe: Subscribe;
    pSubscribe: Subscribe;
    sSubscribe: Subscribe;
  };

export type ClientPool<
  M extends Modules = None,
  F extends Functions = None,
  S extends Scripts = None,
  RESP extends Versions = 3,
  T extends Mapping = None,
> = Omit<ClientPoolBase, Views | Scanning | Hidden> &
  Shared<RedisClientType<M, F, S, RESP, T>> &
  Lending<ClientPool<M, F, S, RESP, T>, Session<M, F, S, RESP, T>> & {
    withCommandOptions<V extends Mapping = T>(
      options: CommandOptions<V>,
    ): ClientPool<M, F, S, RESP, V>;
    withTypeMapping<V extends Mapping>(typeMapping: V): ClientPool<M, F, S, RESP, V>;
  };

/** Of clusters and sentinels. */
interface Subscribing<SELF> {
  connect(options?: TimeoutOption): SELF;
  on(event: string, listener: Listener): SELF;
  off(event: string, listener: Listener): SELF;
  subscribe: Subscribe;
  pSubscribe: Subscribe;
  sSubscribe: Subscribe;
}

type Shown<T> = Omit<T, Views | Hidden | `${string}ubscribe`>;

export type Cluster<
  M extends Modules = None,
  F extends Functions = None,
  S extends Scripts = None,
  RESP extends Versions = 3,
  T extends Mapping = None,
> = Shown<ClusterBase> &
  CommandsOf<RedisClusterType<M, F, S, RESP, T>> &
  Subscribing<Cluster<M, F, S, RESP, T>> & {
    multi(routing?: RedisArgument): Multi<RedisClusterType<M, F, S, RESP, T>>;
    MULTI(routing?: RedisArgument): Multi<RedisClusterType<M, F, S, RESP, T>>;
    withCommandOptions<V extends Mapping = T>(
      options: CommandOptions<V>,
    ): Cluster<M, F, S, RESP, V>;
    withTypeMapping<V extends Mapping>(typeMapping: V): Cluster<M, F, S, RESP, V>;
  };

export type Sentinel<
  M extends Modules = None,
  F extends Functions = None,
  S extends Scripts = None,
  RESP extends Versions = 3,
  T extends Mapping = None,
> = Shown<SentinelBase> &
  CommandsOf<RedisSentinelType<M, F, S, RESP, T>> &
  Subscribing<Sentinel<M, F, S, RESP, T>> & {
    multi(): Multi<RedisSentinelType<M, F, S, RESP, T>>;
    MULTI(): Multi<RedisSentinelType<M, F, S, RESP, T>>;
    withCommandOptions<V extends Mapping = T>(
      options: CommandOptions<V>,
    ): Sentinel<M, F, S, RESP, V>;
    withTypeMapping<V extends Mapping>(typeMapping: V): Sentinel<M, F, S, RESP, V>;
  };
