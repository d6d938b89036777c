/**
 * Redis without await: node-redis, with blocking commands that can be killed and lose nothing.
 * @module
 */
// What programs take from node-redis beside its clients: its errors, and what options and replies are made of.
export {
  AbortError,
  AR_OPERATIONS,
  AR_PREDICATE_COMBINATORS,
  AR_PREDICATE_TYPES,
  BasicClientSideCache,
  BasicPooledClientSideCache,
  BlobError,
  CLIENT_KILL_FILTERS,
  CLIENT_UNBLOCK_MODES,
  CLUSTER_SLOT_STATES,
  ClientClosedError,
  ClientOfflineError,
  COMMAND_LIST_FILTER_BY,
  type CommandParser,
  CommandTimeoutDuringMaintenanceError,
  ConnectionTimeoutError,
  DisconnectsClientError,
  defineScript,
  digest,
  ErrorReply,
  FAILOVER_MODES,
  GEO_REPLY_WITH,
  type GeoReplyWith,
  MaxCommandRedirectionsError,
  MultiErrorReply,
  OpenTelemetryError,
  REDIS_FLUSH_MODES,
  RESP_TYPES,
  ReconnectStrategyError,
  type RedisArgument,
  type RedisClientOptions,
  type RedisClusterOptions,
  type RedisFunctions,
  type RedisModules,
  type RedisScripts,
  type RedisSentinelOptions,
  type RespVersions,
  RootNodesUnavailableError,
  ScanIteratorInterruptedError,
  type SetOptions,
  SimpleError,
  SocketClosedUnexpectedlyError,
  SocketTimeoutDuringMaintenanceError,
  SocketTimeoutError,
  TimeoutError,
  type TypeMapping,
  VerbatimString,
  WatchError,
} from 'redis';
export { createCluster } from './cluster.js';
export { createClient, createClientPool } from './create-client.js';
export {
  ConnectionCommandError,
  LostElementsError,
  OfflineError,
  OfflineQueueFullError,
  PartlySentError,
  SubscriptionOverflowError,
} from './errors.js';
export type { OwnOptions } from './options.js';
export type { PoolOptions, PoolOptions as RedisPoolOptions } from './pool-host.js';
export type { CommandOptions } from './raw.js';
export { createSentinel } from './sentinel.js';
export type { Message, SubscribeOptions, Subscription } from './subscription.js';
export type { TransactionOptions } from './transaction.js';
// By node-redis's names, too.
export type {
  Client,
  Client as RedisClientType,
  ClientOptions,
  ClientPool,
  ClientPool as RedisClientPoolType,
  Cluster,
  Cluster as RedisClusterType,
  Multi,
  Sentinel,
  Sentinel as RedisSentinelType,
  Session,
} from './types.js';
