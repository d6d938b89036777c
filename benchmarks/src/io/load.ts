/** Echo load: so many connections, each with one message under way, for some time. */
import { once } from 'node:events';
import net from 'node:net';

export interface Load {
  /** Answers per second. */
  rate: number;
  /** Milliseconds from message to answer. */
  p99: number;
  errors: number;
}

const message = Buffer.alloc(64, 'x');
const opening = 500;

export async function open(port: number, count: number): Promise<net.Socket[]> {
  const sockets: net.Socket[] = [];
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(opening, count - sockets.length) }, () =>
      net.connect({ port, host: '127.0.0.1', noDelay: true }),
    );
    await Promise.all(some.map((socket) => once(socket, 'connect')));
    sockets.push(...some);
  }
  return sockets;
}

export async function load(port: number, connections: number, seconds: number): Promise<Load> {
  const sockets = await open(port, connections);
  const latencies: number[] = [];
  let answers = 0;
  let errors = 0;
  let over = false;
  for (const socket of sockets) {
    let sent = performance.now();
    let got = 0;
    socket.on('error', () => errors++);
    socket.on('data', (chunk) => {
      got += chunk.length;
      if (got < message.length) return;
      got = 0;
      const now = performance.now();
      answers++;
      if (answers % 8 === 0) latencies.push(now - sent);
      sent = now;
      if (!over) socket.write(message);
    });
    socket.write(message);
  }
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  over = true;
  const rate = answers / seconds;
  for (const socket of sockets) socket.destroy();
  await Promise.all(sockets.map((socket) => (socket.closed ? undefined : once(socket, 'close'))));
  latencies.sort((a, b) => a - b);
  return { rate, p99: latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN, errors };
}
