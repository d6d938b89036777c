/** websocketApp(): an application that is a WebSocket and nothing else. */
import { isExit } from '@tendril/core';
import type { Application, Environ, Header } from '@tendril/wsgi';
import { type AcceptOptions, open } from './accept.js';
import { HandshakeError, WebSocketClosedError } from './errors.js';
import type { WebSocket } from './websocket.js';

export type WebSocketHandler = (socket: WebSocket, environ: Environ) => void;

const statusLines: Readonly<Record<number, string>> = {
  400: '400 Bad Request',
  403: '403 Forbidden',
  426: '426 Upgrade Required',
};

function headersFor({ code, status }: HandshakeError): Header[] {
  const headers: Header[] = [['Content-Type', 'text/plain; charset=utf-8']];
  // RFC 9110, 15.5.22, and RFC 6455, 4.4: what would have been understood.
  if (status === 426) headers.push(['Upgrade', 'websocket']);
  if (code === 'ERR_WEBSOCKET_VERSION') headers.push(['Sec-WebSocket-Version', '13']);
  return headers;
}

function serve(socket: WebSocket, environ: Environ, handler: WebSocketHandler): void {
  try {
    handler(socket, environ);
  } catch (error) {
    // A peer that goes while it is being sent something is no error of the handler.
    if (error instanceof WebSocketClosedError) return;
    socket.close(isExit(error) ? 1001 : 1011);
    throw error;
  } finally {
    socket.close();
  }
}

/**
 * An application for `WSGIServer` that runs `handler` in the request's greenlet for each WebSocket.
 * Other requests get 426, malformed ones 400, those of foreign pages 403. When the handler returns, the
 * WebSocket is closed with 1000; when it throws, with 1011; when it is killed, as by the server's
 * `stop()`, with 1001.
 */
export function websocketApp(handler: WebSocketHandler, options?: AcceptOptions): Application {
  return (environ, startResponse) => {
    let socket: WebSocket;
    try {
      socket = open(environ, options);
    } catch (error) {
      if (!(error instanceof HandshakeError)) throw error;
      startResponse(statusLines[error.status] as string, headersFor(error));
      return [`${error.message}\n`];
    }
    serve(socket, environ, handler);
    return [];
  };
}
