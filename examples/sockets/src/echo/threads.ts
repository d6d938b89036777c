import { type AddressInfo, createServer } from 'node:net';
import { parentPort, Worker } from 'node:worker_threads';

if (parentPort) {
  const port = parentPort;
  port.on('message', (chunk: Uint8Array) => port.postMessage(chunk));
} else {
  // Node cannot give a connection to another thread: each chunk travels there and back.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const thread = new Worker(new URL(import.meta.url));
    let under = 0;
    let ended = false;
    const finish = () => {
      if (!ended || under > 0) return;
      socket.end();
      thread.terminate();
    };
    thread.on('message', (chunk: Uint8Array) => {
      under--;
      if (!socket.write(chunk)) {
        socket.pause();
        socket.once('drain', () => socket.resume());
      }
      finish();
    });
    thread.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      under++;
      thread.postMessage(chunk);
    });
    socket.on('end', () => {
      ended = true;
      finish();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => thread.terminate());
  });
  server.listen(0, '127.0.0.1', () => {
    console.log((server.address() as AddressInfo).port);
  });
}
