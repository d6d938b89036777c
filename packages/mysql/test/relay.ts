/** openRelay(): a way to a server on which is seen what is asked, and a connection can be held up. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export async function openRelay(target: { host: string; port: number }) {
  const sockets: Socket[] = [];
  let held: Socket | undefined;
  let questions = 0;
  const server = createServer((near) => {
    const far = connect(target);
    sockets.push(near, far);
    near.on('data', (chunk) => {
      if (chunk.includes('information_schema.processlist')) questions++;
      if (!far.write(chunk)) near.pause();
    });
    far.on('drain', () => {
      if (near !== held) near.resume();
    });
    far.pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const)
      one.on('error', () => {}).on('close', () => other.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    /** How often a server was asked about sessions. */
    get questions() {
      return questions;
    },
    /** The first connection takes nothing more from the client. */
    hold() {
      held = sockets[0];
      held?.pause();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
