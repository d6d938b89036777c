/**
 * Redis without await: node-redis, with blocking commands that can be killed and lose nothing.
 * @module
 */
export { createCluster } from './cluster.js';
export { createClient, createClientPool } from './create-client.js';
export {
  LostElementsError,
  OfflineError,
  OfflineQueueFullError,
  PartlySentError,
  SubscriptionOverflowError,
} from './errors.js';
export type { OwnOptions } from './options.js';
export type { PoolOptions } from './pool-host.js';
export type { CommandOptions } from './raw.js';
export { createSentinel } from './sentinel.js';
export type { Message, SubscribeOptions, Subscription } from './subscription.js';
export type { TransactionOptions } from './transaction.js';
export type {
  Client,
  ClientOptions,
  ClientPool,
  Cluster,
  Multi,
  Sentinel,
  Session,
} from './types.js';
