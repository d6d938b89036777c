import { run } from '@tendril/core';
import { StreamServer } from '@tendril/core/server';

run(() => {
  const server = new StreamServer('127.0.0.1:0', (socket) => {
    for (const chunk of socket) socket.sendAll(chunk);
  });
  server.start();
  console.log(server.port);
  server.serveForever();
});
