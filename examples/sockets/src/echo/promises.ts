import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

async function echo(socket: Socket): Promise<void> {
  try {
    for await (const chunk of socket) {
      if (!socket.write(chunk)) await once(socket, 'drain');
    }
    socket.end();
  } catch {
    socket.destroy();
  }
}

const server = createServer({ allowHalfOpen: true }, (socket) => void echo(socket));
server.listen(0, '127.0.0.1');
await once(server, 'listening');
console.log((server.address() as AddressInfo).port);
