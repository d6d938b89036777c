/**
 * ZeroMQ without await: zeromq.js, with sends and receives that queue in order.
 * @module
 */
export type { Event, EventOfType, EventType, Message, MessageLike, SocketOptions } from 'zeromq';
export { Context, capability, context, curveKeyPair, version } from 'zeromq';
export type { Readable, SocketOf, Writable } from './class.js';
export { AgainError } from './errors.js';
export { Observer } from './observer.js';
export { type Interest, Poller } from './poller.js';
export { Proxy, proxy } from './proxy.js';
export { Socket } from './socket.js';
export {
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  Stream,
  Subscriber,
  XPublisher,
  XSubscriber,
} from './sockets.js';
