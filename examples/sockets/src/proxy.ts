/** A TCP proxy: each connection here is joined to one there, both ways, with half-close. */
import { fileURLToPath } from 'node:url';
import { joinall, spawn } from '@tendril/core';
import { type Listening, StreamServer } from '@tendril/core/server';
import { type ConnectOptions, connect, type Socket } from '@tendril/core/socket';
import { inOneLine } from './outside.js';

function pump(from: Socket, to: Socket): void {
  for (const chunk of from) to.sendAll(chunk);
  to.end();
}

/** A server that passes everything on to `target`. Start it, and stop it. */
export function proxy(where: Listening, target: ConnectOptions): StreamServer {
  return new StreamServer(where, (client) => {
    using upstream = connect(target);
    const pumps = [spawn(pump, client, upstream), spawn(pump, upstream, client)];
    try {
      joinall(pumps, { raiseError: true });
    } finally {
      for (const one of pumps) one.kill({ block: false });
    }
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [port, target = ''] = process.argv.slice(2);
  const match = /^(.+):(\d+)$/.exec(target);
  if (!port || !match) {
    console.error('usage: proxy <port> <host>:<port>');
    process.exit(2);
  }
  const upstream = { host: match[1] as string, port: Number(match[2]) };
  await inOneLine(() => {
    connect(upstream).destroy(); // rather now than at the first client
    proxy(`127.0.0.1:${port}`, upstream).serveForever();
  });
}
