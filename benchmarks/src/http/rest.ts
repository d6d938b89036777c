/** The memory of a connection that has had its answer and may want more. */
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Samples } from '../samples.js';
import type { HttpServer } from './contestants.js';
import { ServerProcess } from './server-process.js';
import { hello } from './servers/content.js';
import { wrk } from './wrk.js';

const request = 'GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n';
const patience = 10_000;
const opening = 100;

/** A connection that has been answered once. */
function answered(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(request));
    const timer = setTimeout(() => socket.destroy(new Error('no answer')), patience);
    let answer = '';
    socket.setEncoding('latin1').on('data', (text) => {
      answer += text;
      if (!answer.endsWith(hello)) return;
      clearTimeout(timer);
      resolve(socket);
    });
    socket.on('error', reject);
    socket.on('end', () => reject(new Error('closed by the server')));
  });
}

export async function measureRest(
  samples: Samples,
  server: HttpServer,
  connections: number,
): Promise<void> {
  const running = await ServerProcess.start(server);
  const sockets: Socket[] = [];
  try {
    await wrk({ url: running.url('/hello'), connections: 10, seconds: 1 }); // warms the server up
    await delay(500);
    const before = running.resident();
    while (sockets.length < connections) {
      const some = Array.from({ length: Math.min(opening, connections - sockets.length) }, () =>
        answered(running.port),
      );
      sockets.push(...(await Promise.all(some)));
    }
    await delay(500);
    const open = sockets.filter((socket) => !socket.readableEnded && !socket.destroyed).length;
    if (open < connections) throw new Error(`${connections - open} connections did not last`);
    samples.note(
      `bytes per connection at rest, of ${connections.toLocaleString('en-US')}`,
      server.name,
      (running.resident() - before) / connections,
    );
  } finally {
    for (const socket of sockets) socket.destroy();
    await running.stop();
  }
}
