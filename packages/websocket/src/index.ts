/**
 * WebSockets on greenlets: the server side for applications of `@tendril/wsgi`, and a client.
 * @module
 */
export { type AcceptOptions, accept } from './accept.js';
export { type WebSocketHandler, websocketApp } from './application.js';
export { type ConnectOptions, connect } from './connect.js';
export { HandshakeError, type HandshakeErrorCode, WebSocketClosedError } from './errors.js';
export type { WebSocketOptions } from './options.js';
export type { Message, WebSocket } from './websocket.js';
