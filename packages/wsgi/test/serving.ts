/** What the tests of the server share: a server for a test, and clients that speak in bytes. */
import { after } from 'node:test';
import { run, sleep, spawn } from '@tendril/core';
import { connect, type Socket } from '@tendril/core/socket';
import { checkLeaks } from '@tendril/core/testing';
import {
  type Application,
  type Environ,
  type Header,
  type StartResponse,
  WSGIServer,
  type WSGIServerOptions,
} from '@tendril/wsgi';

/** Milliseconds after which something hangs, on the busiest machine. */
export const patience = 30_000;

/** Parks until something is so. */
export function until(condition: () => boolean): void {
  const end = performance.now() + patience;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`still not: ${condition}`);
    sleep(2);
  }
}

export function leaveNothing(): void {
  after(() => checkLeaks());
}

/** A test's body in a greenlet, in real time. */
export function inRealTime(body: () => void): () => Promise<void> {
  return () => run(body) as Promise<void>;
}

/** Runs `body` beside a server on a free port, and stops it. */
export function serving<T>(
  app: Application,
  options: WSGIServerOptions,
  body: (server: WSGIServer) => T,
): T {
  const server = new WSGIServer({ port: 0, host: '127.0.0.1' }, app, options);
  server.start();
  try {
    return body(server);
  } finally {
    server.stop({ timeout: 2000 });
  }
}

export function open(server: WSGIServer): Socket {
  const socket = connect({ port: server.port, host: '127.0.0.1' });
  socket.timeout = patience;
  return socket;
}

/** Sends bytes on a connection of its own; all that comes back until its end, as latin1. */
export function converse(server: WSGIServer, bytes: string): string {
  using socket = open(server);
  socket.sendAll(Buffer.from(bytes, 'latin1'));
  return socket.readAll().toString('latin1');
}

export interface Answer {
  status: number;
  reason: string;
  headers: Map<string, string>;
  body: string;
}

/** Reads one response, by its own framing. `bodiless` for the answer to HEAD. */
export function readAnswer(socket: Socket, bodiless = false): Answer {
  const head = socket.readUntil('\r\n\r\n').toString('latin1').trimEnd().split('\r\n');
  const [, status, reason] = /^HTTP\/1\.1 (\d{3}) (.*)$/.exec(head[0] ?? '') ?? [];
  const headers = new Map(
    head.slice(1).map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const answer = { status: Number(status), reason: reason ?? '', headers, body: '' };
  if (bodiless || answer.status === 204 || answer.status === 304) return answer;
  if (headers.get('transfer-encoding') === 'chunked') {
    for (;;) {
      const size = Number.parseInt(socket.readLine() ?? '', 16);
      answer.body += socket.recvExactly(size).toString('latin1');
      socket.recvExactly(2);
      if (size === 0) return answer;
    }
  }
  const length = headers.get('content-length');
  answer.body = (
    length === undefined ? socket.readAll() : socket.recvExactly(Number(length))
  ).toString('latin1');
  return answer;
}

/** A request of a target, with more fields, each with its line end. */
export function get(target = '/', fields = ''): string {
  return `GET ${target} HTTP/1.1\r\nHost: test\r\n${fields}\r\n`;
}

/** Sends a request on a connection of its own, and reads the response. */
export function ask(server: WSGIServer, request: string): Answer {
  using socket = open(server);
  socket.sendAll(Buffer.from(request, 'latin1'));
  return readAnswer(socket, request.startsWith('HEAD'));
}

/** What `hub.onError` got while `body` ran. */
export function errorsOf(
  hub: { onError: (error: unknown, source: string) => void },
  body: () => void,
): unknown[] {
  const errors: unknown[] = [];
  const before = hub.onError;
  hub.onError = (error) => void errors.push(error);
  try {
    body();
  } finally {
    hub.onError = before;
  }
  return errors;
}

/** `count` times the same, at the same time. */
export function times<T>(count: number, fn: (index: number) => T): { get(): T }[] {
  return Array.from({ length: count }, (_, index) => spawn(() => fn(index)));
}

export const plain: Header[] = [['Content-Type', 'text/plain']];

/** An application that answers with what `make` returns. */
export function answering(
  make: (environ: Environ, start: StartResponse) => ReturnType<Application>,
): Application {
  return (environ, start) => {
    start('200 OK', plain);
    return make(environ, start);
  };
}

/** Answers with the path, after as many milliseconds as the query says; POST is answered unread. */
export const pathApp: Application = (environ, start) => {
  if (environ.QUERY_STRING) sleep(Number(environ.QUERY_STRING));
  start('200 OK', [['Content-Type', 'text/plain']]);
  return [environ.PATH_INFO];
};
