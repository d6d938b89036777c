/** Runs the pairing server with simulated users, and reports what a connection at rest costs. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { getHub, run, sleep } from '@tendril/core';
import { Popen } from '@tendril/core/subprocess';
import { pairingServer } from './pairing-server.js';

const usersProgram = path.join(path.dirname(fileURLToPath(import.meta.url)), 'pairing-users.js');

export interface Report {
  users: number;
  pairs: number;
  /** Resident memory of the server per connection at rest, in KB. */
  kilobytes: number;
  /** Greenlets while all were at rest, the reporting one included. */
  greenlets: number;
  /** Milliseconds for every user to say a line and hear one. */
  talkTime: number;
}

/** Two users become a pair, so `users` must be even. Parks until all is over. */
export function simulate(users: number): Report {
  const { server, pairing } = pairingServer({ port: 0, host: '127.0.0.1' });
  server.start();
  try {
    globalThis.gc?.();
    const before = process.memoryUsage.rss();
    using crowd = new Popen(process.execPath, [usersProgram, String(server.port), String(users)], {
      stderr: 'inherit',
    });
    if (crowd.stdout?.readLine() !== 'connected') throw new Error('the users could not connect');
    while (server.active > 0) sleep(1);
    globalThis.gc?.();
    const kilobytes = (process.memoryUsage.rss() - before) / users / 1024;
    const greenlets = getHub().taskCount;
    const began = performance.now();
    crowd.stdin?.sendAll('talk\n');
    crowd.stdout.readLine();
    const talkTime = performance.now() - began;
    crowd.stdin?.end();
    crowd.wait();
    return { users, pairs: pairing.pairs, kilobytes, greenlets, talkTime };
  } finally {
    server.stop();
  }
}

/** Undefined for a wrong usage. */
function readUsers(): number | undefined {
  try {
    const { values } = parseArgs({ options: { users: { type: 'string', default: '20000' } } });
    const users = Number(values.users);
    return Number.isInteger(users) && users > 0 && users % 2 === 0 ? users : undefined;
  } catch {
    return undefined;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const users = readUsers();
  if (users === undefined) {
    console.error('usage: pairing [--users N], an even number');
    process.exit(2);
  }
  const report = await run(() => simulate(users));
  console.log(
    `${report.users} users in ${report.pairs} pairs: ${report.kilobytes.toFixed(1)} KB per connection at rest, ` +
      `${report.greenlets} greenlet${report.greenlets === 1 ? '' : 's'}; all said a line and heard one in ` +
      `${report.talkTime.toFixed(0)} ms`,
  );
}
