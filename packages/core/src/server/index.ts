/**
 * Servers: a greenlet for each connection, piece of input or datagram.
 * @module
 */
export { BaseServer, type BaseServerOptions, type StopOptions } from './base-server.js';
export {
  type DatagramHandler,
  DatagramServer,
  type DatagramServerOptions,
} from './datagram-server.js';
export { type Listening, type ListeningOptions, openListening } from './listening.js';
export {
  type StreamHandler,
  StreamServer,
  type StreamServerOptions,
} from './stream-server.js';
