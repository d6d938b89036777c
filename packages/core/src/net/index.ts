/**
 * Sockets that park: TCP, Unix, TLS and UDP.
 * @module
 */

export { ConnectError } from './attempts.js';
export { ByteQueue } from './byte-queue.js';
export { type ConnectOptions, connect, startTls } from './connect.js';
export {
  type Datagram,
  type DatagramAddress,
  type DatagramOptions,
  DatagramSocket,
} from './datagram.js';
export {
  type Address,
  Listener,
  type ListenerStatistics,
  type ListenOptions,
  listen,
  standInListener,
} from './listener.js';
export { plainAddress } from './plain-address.js';
export { type LineOptions, type ReadOptions, Socket, wrap } from './socket.js';
