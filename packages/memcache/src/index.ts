/**
 * memcached without await: memjs's client, with its timeouts and failovers mended.
 * @module
 */
export type {
  IncrementDecrementOptions,
  InsertOptions,
  Logger,
  Serializer,
} from 'memjs';
export { Utils } from 'memjs';
export { Client, type CounterResult, type Item } from './client.js';
export {
  AuthenticationError,
  ClientClosedError,
  ConnectionError,
  PartialError,
  ReplyTimeoutError,
  ServerDeadError,
  ServerError,
} from './errors.js';
export type { Options, Settings } from './options.js';
export { Server } from './server.js';
