import assert from 'node:assert/strict';
import { spawn as spawnProcess } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import readline from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { leaveNothing } from './helpers.js';

leaveNothing();

/** Both ends' descriptors come out of limits of their own: the server is another process. */
const crowd = process.env.TENDRIL_TEST_SHORT ? 1000 : 10_000;
const opening = 500;
const rounds = 3;

async function talk(sockets: net.Socket[], text: string): Promise<void> {
  await Promise.all(
    sockets.map(
      (socket, i) =>
        new Promise<void>((resolve, reject) => {
          const message = `${text} ${i}`;
          let got = '';
          const listen = (chunk: Buffer) => {
            got += chunk;
            if (got.length < message.length) return;
            socket.off('data', listen).off('error', reject);
            if (got === message) resolve();
            else reject(new Error(`${got} in place of ${message}`));
          };
          socket.on('data', listen).once('error', reject);
          socket.write(message);
        }),
    ),
  );
}

async function connectAll(port: number): Promise<net.Socket[]> {
  const sockets: net.Socket[] = [];
  while (sockets.length < crowd) {
    const some = Array.from({ length: Math.min(opening, crowd - sockets.length) }, () =>
      net.connect(port, '127.0.0.1'),
    );
    await Promise.all(some.map((socket) => once(socket, 'connect')));
    sockets.push(...some);
  }
  return sockets;
}

test(`${crowd} connections at once: no error, no stack at rest, no growth`, async () => {
  const script = fileURLToPath(new URL('../test/scripts/echo-server.mjs', import.meta.url));
  const server = spawnProcess(process.execPath, ['--expose-gc', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = readline.createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  const line = async () => (await lines.next()).value as string;
  const port = Number(await line());
  const state = async () => {
    server.stdin.write('state\n');
    return JSON.parse(await line());
  };
  const memory: number[] = [];
  for (let visit = 0; visit < 3; visit++) {
    const sockets = await connectAll(port);
    for (let round = 0; round < rounds; round++) await talk(sockets, `${visit} ${round}`);
    let resting = await state();
    while (resting.greenlets > 1) resting = await state();
    assert.equal(resting.connections, crowd);
    assert.equal(resting.dropped, 0);
    assert.ok(resting.stacks < 200, `${resting.stacks} stacks, some of them kept warm`);
    for (const socket of sockets) socket.destroy();
    let after = await state();
    while (after.connections > 0) after = await state();
    memory.push(after.memory);
  }
  // What the first crowd made the heap grow to is used again by the next ones.
  const [first = 0, , last = 0] = memory;
  assert.ok(last < first * 1.2, `${memory}`);
  server.stdin.end();
  const [status] = await once(server, 'exit');
  assert.equal(status, 0);
});
