/**
 * PostgreSQL without await: pg, with queries that stop on the server when their greenlet is killed.
 * @module
 */
export {
  type CustomTypesConfig,
  DatabaseError,
  defaults,
  escapeIdentifier,
  escapeLiteral,
  type FieldDef,
  type Query,
  type QueryArrayConfig,
  type QueryArrayResult,
  type QueryConfig,
  type QueryResult,
  type QueryResultRow,
  TypeOverrides,
  types,
} from 'pg';
export { Client } from './client.js';
export { ClientBase } from './client-base.js';
export type { CursorOptions } from './cursor.js';
export type { Notice } from './driver.js';
export {
  ClientClosedError,
  ConnectionLostError,
  ConnectTimeoutError,
  QueryTimeoutError,
  SilentServerError,
  TransactionAbortedError,
} from './errors.js';
export type { Listener, Notification } from './listener.js';
export type {
  ClientOptions,
  ClientOptions as ClientConfig,
  PoolOptions,
  PoolOptions as PoolConfig,
} from './options.js';
export { Pool } from './pool.js';
export { PoolClient } from './pool-client.js';
export type { Queries } from './queries.js';
export type { Isolation, TransactionOptions } from './transaction.js';
