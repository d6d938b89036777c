/** connect(): a WebSocket as a client. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { InvalidArgumentError, park, type TimeoutOption, withTimeout } from '@tendril/core';
import { lookup } from '@tendril/core/resolver';
import type { ClientOptions } from 'ws';
import { HandshakeError } from './errors.js';
import { type Settings, settingsOf, type WebSocketOptions } from './options.js';
import { WebSocket } from './websocket.js';
import { Wire, wireOptions } from './wire.js';

export interface ConnectOptions extends WebSocketOptions, TimeoutOption {
  /** Subprotocols to offer, best first. A server that takes none of them is an error. */
  protocols?: readonly string[];
  headers?: Readonly<Record<string, string>>;
  /** For servers that let only some pages in. */
  origin?: string;
  /** Options of `tls.connect` for `wss:`. Certificates are verified unless told otherwise. */
  tls?: ConnectionOptions;
}

const defaultTimeout = 30_000;

function clientOptions(options: ConnectOptions, settings: Settings): ClientOptions {
  return {
    ...options.tls,
    lookup,
    headers: { ...options.headers },
    ...(options.origin !== undefined && { origin: options.origin }),
    ...wireOptions(settings),
  } as object as ClientOptions;
}

function start(url: string | URL, options: ConnectOptions, settings: Settings): Wire {
  try {
    return new Wire(url, [...(options.protocols ?? [])], clientOptions(options, settings));
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new InvalidArgumentError('url', `a ws: or wss: URL with valid protocols`, url);
    throw error;
  }
}

/** Errors of the network have a code of Node's; what ws finds wrong with the answer has none. */
function openingError(error: Error): Error {
  if ('code' in error) return error;
  return new HandshakeError('ERR_WEBSOCKET_ANSWER', error.message, { cause: error });
}

/**
 * Connects to a `ws:`, `wss:` or `ws+unix:` URL, parking until the WebSocket is open. A kill or a
 * timeout (default 30 s, for name, connection, TLS and handshake together) ends the attempt.
 *
 * @throws Timeout, HandshakeError, InvalidArgumentError, Node's errors with their codes (ECONNREFUSED)
 */
export function connect(url: string | URL, options: ConnectOptions = {}): WebSocket {
  const settings = settingsOf(options, Number.POSITIVE_INFINITY);
  const timeout = 'timeout' in options ? options.timeout : defaultTimeout;
  return withTimeout(timeout, () =>
    park<WebSocket>((resume) => {
      const raw = start(url, options, settings);
      let stream: Duplex;
      raw.on('error', (error) => resume.error(openingError(error)));
      raw.on('unexpected-response', (request, response: IncomingMessage) => {
        resume.error(new HandshakeError('ERR_WEBSOCKET_REFUSED', response.statusCode ?? 0));
        request.destroy();
      });
      raw.on('upgrade', (response: IncomingMessage) => {
        stream = response.socket;
      });
      raw.on('open', () => resume(new WebSocket(raw, stream, settings)));
      return () => raw.terminate();
    }),
  );
}
