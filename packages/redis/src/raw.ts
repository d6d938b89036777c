/** node-redis's client as the rest of this package sees it, whatever its modules and mappings. */
import type { EventEmitter } from 'node:events';
import type { RedisArgument, TypeMapping } from 'redis';

/** node-redis's options of one command. */
export interface CommandOptions<MAPPING = TypeMapping> {
  /** Ahead of those that wait to be sent. */
  asap?: boolean;
  /** Takes a command back that has not been sent. */
  abortSignal?: AbortSignal;
  typeMapping?: MAPPING;
  /** Milliseconds to wait for the connection while it is away; default 5,000. */
  timeout?: number;
}

export type Args = readonly RedisArgument[];
export type Listener = (message: string & Buffer, channel: string & Buffer) => unknown;
type Subscribing = (
  channels: string[],
  listener: Listener,
  bufferMode?: boolean,
) => Promise<unknown>;

export interface RawMulti {
  exec(): Promise<unknown[]>;
  execAsPipeline(): Promise<unknown[]>;
}

/** What can subscribe: a client, a cluster, a sentinel. */
export interface RawSubscriber {
  subscribe: Subscribing;
  pSubscribe: Subscribing;
  sSubscribe: Subscribing;
  unsubscribe: Subscribing;
  pUnsubscribe: Subscribing;
  sUnsubscribe: Subscribing;
}

type Execute = (
  commands: unknown[],
  database?: number,
  slot?: number,
  chain?: symbol,
) => Promise<unknown[]>;

/** Its commands on their way. */
export interface RawQueue {
  isEmpty(): boolean;
  addCommand(args: Args, options?: object): Promise<unknown>;
  readonly decoder: { write(chunk: Buffer): void };
}

export interface Raw extends EventEmitter, RawSubscriber {
  readonly options: { readonly socket?: { readonly signal?: AbortSignal } };
  readonly isOpen: boolean;
  readonly isReady: boolean;
  connect(): Promise<unknown>;
  /** RESET, and all that follows when it connects. */
  reset(): Promise<void>;
  close(): Promise<void>;
  destroy(): void;
  duplicate(overrides?: object): Raw;
  withCommandOptions(options: object): Raw;
  sendCommand(args: Args, options?: object): Promise<unknown>;
  select(database: number): Promise<void>;
  watch(keys: RedisArgument | RedisArgument[]): Promise<unknown>;
  unwatch(): Promise<unknown>;
  _getQueue(): RawQueue;
  // What node-redis's own pool is made of.
  readonly Multi: new (
    executeMulti: Execute,
    executePipeline: Execute,
    typeMapping?: TypeMapping,
    keyPrefix?: RedisArgument,
  ) => RawMulti;
  readonly _executeMulti: Execute;
  readonly _executePipeline: Execute;
  readonly _keyPrefix: RedisArgument | undefined;
}
