/** The same echo server four ways: how long each is, and that each works. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, spawn } from '@tendril/core';
import { connect } from '@tendril/core/socket';
import { Popen } from '@tendril/core/subprocess';

export const ways = ['threads', 'callbacks', 'promises', 'greenlets'] as const;
const here = path.dirname(fileURLToPath(import.meta.url));

/** Lines that are neither blank nor a comment. */
export function linesOf(way: string): number {
  const source = path.join(here, '..', '..', 'src', 'echo', `${way}.ts`);
  return readFileSync(source, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s*\/\//.test(line)).length;
}

/** Runs a server and sends `size` bytes through each of `clients` connections; true if all came back. */
export function works(way: string, clients: number, size: number): boolean {
  using server = new Popen(process.execPath, [path.join(here, `${way}.js`)], { stderr: 'inherit' });
  const port = Number(server.stdout?.readLine());
  const all = Array.from({ length: clients }, (_, i) =>
    spawn(() => {
      using socket = connect({ host: '127.0.0.1', port });
      const sent = Buffer.alloc(size, `${way} ${i} `);
      const sender = spawn(() => {
        socket.sendAll(sent);
        socket.end();
      });
      const same = socket.readAll({ max: size }).equals(sent);
      sender.get();
      return same;
    }),
  );
  return all.map((one) => one.get()).every(Boolean);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await run(() => {
    for (const way of ways) {
      const outcome = works(way, 20, 100_000) ? 'works' : 'FAILS';
      console.log(`${way.padEnd(10)} ${String(linesOf(way)).padStart(3)} lines  ${outcome}`);
    }
  });
