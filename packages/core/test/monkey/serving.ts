/** Servers that last as long as a test needs them, and requests to them. */
import { once } from 'node:events';
import http, { type IncomingMessage, type RequestListener } from 'node:http';
import type net from 'node:net';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Event } from '@tendril/core';

export async function listening<S extends net.Server>(server: S): Promise<S> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

export const portOf = (server: net.Server) => (server.address() as AddressInfo).port;

/** A server of `handler`, for as long as `use` needs it. */
export async function serving(
  handler: RequestListener | undefined,
  use: (port: number, server: http.Server) => Promise<void>,
): Promise<void> {
  const server = await listening(http.createServer(handler));
  try {
    await use(portOf(server), server);
  } finally {
    const closed = once(server, 'close');
    server.closeAllConnections();
    server.close();
    await closed;
  }
}

export async function request(
  port: number,
  options: http.RequestOptions = {},
  body?: string,
): Promise<{ status: number | undefined; body: string; answer: IncomingMessage }> {
  const client = http.request({ port, host: '127.0.0.1', agent: false, ...options });
  client.end(body);
  const [answer] = (await once(client, 'response')) as [IncomingMessage];
  return { status: answer.statusCode, body: await text(answer), answer };
}

/** Parks until so many are parked here at the same time. */
export function barrier(size: number): () => void {
  const full = new Event();
  let waiting = 0;
  return () => {
    if (++waiting === size) full.set();
    full.wait();
  };
}
