/**
 * MySQL and MariaDB without await: mysql2, with queries that stop on the server when their greenlet is killed.
 * @module
 */
export type {
  ExecuteValues,
  FieldPacket,
  OkPacket,
  ProcedureCallPacket,
  QueryError,
  QueryOptions,
  QueryResult,
  QueryValues,
  ResultSetHeader,
  RowDataPacket,
  SslOptions,
  TypeCast,
  TypeCastField,
  TypeCastGeometry,
  TypeCastNext,
  TypeCastType,
} from 'mysql2';
export { escape, escapeId, format, raw } from 'mysql2';
export { Connection, createConnection } from './connection.js';
export { ConnectionClosedError, SilentServerError } from './errors.js';
export type { ConnectionOptions, PoolOptions } from './options.js';
export { createPool, Pool, type PoolStatistics } from './pool.js';
export { PoolConnection } from './pool-connection.js';
export { PreparedStatement } from './prepared-statement.js';
export type { IsolationLevel, TransactionOptions } from './transaction.js';
export { Types } from './types.js';
