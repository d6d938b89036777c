#!/usr/bin/env node
/** Echo servers, ours and Node's: `servers <name>` prints its port and serves until it is killed. */
import { type AddressInfo, createServer } from 'node:net';
import { run } from '@tendril/core';
import { StreamServer } from '@tendril/core/server';

const loopback = { port: 0, host: '127.0.0.1', backlog: 1024 };

function ours(per: 'connection' | 'input'): void {
  run(() => {
    const server = new StreamServer(
      loopback,
      per === 'input'
        ? (socket) => socket.sendAll(socket.recv())
        : (socket) => {
            for (const chunk of socket) socket.sendAll(chunk);
          },
      { per },
    );
    server.start();
    console.log(server.port);
    server.serveForever();
  });
}

function nodeNet(): void {
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    socket.on('data', (chunk) => {
      if (socket.write(chunk)) return;
      socket.pause();
      socket.once('drain', () => socket.resume());
    });
    socket.on('end', () => socket.end());
    socket.on('error', () => socket.destroy());
  });
  server.listen(loopback, () => console.log((server.address() as AddressInfo).port));
}

const [name] = process.argv.slice(2);
if (name === 'node:net') nodeNet();
else ours(name === 'tendril, per input' ? 'input' : 'connection');
