/** Sessions have numbers, and a server that is started again gives them to others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Gate, openGate } from '@tendril/adapter-suite';
import { Event, run, sleep, spawn, withTimeout } from '@tendril/core';
import { type Connection, createConnection } from '@tendril/mysql';
import { connect } from '#src/connect.js';
import { Killer } from '#src/killer.js';
import { Session } from '#src/session.js';
import { serverOfFile, untilRunning, value } from './helpers.js';

const server = serverOfFile();

test('nobody is ended, or taken for him, in place of a session that a server does not know any more', async () => {
  const gate = await openGate(server.service);
  await run(() => {
    const left: (Connection | Session)[] = [];
    const keep = <T extends Connection | Session>(connection: T): T => {
      left.push(connection);
      return connection;
    };
    // How the pool wants its answers is nothing to the side connection.
    const killer = new Killer({ ...server.options(), rowsAsArray: true });
    try {
      withTimeout(120_000, () => check(killer, keep, gate));
    } finally {
      killer.close();
      for (const each of left) each.destroy();
    }
  });
  await gate.close();
});

function check(
  killer: Killer,
  keep: <T extends Connection | Session>(connection: T) => T,
  gate: Gate,
): void {
  keep(createConnection(server.options()));
  const { host, port } = gate;
  const known = keep(new Session(connect({ ...server.options(), host, port })));
  const number = known.threadId;
  // The server tells its age in whole seconds only.
  while (performance.now() - known.since < 3000) sleep(50);
  // Nobody says a word of the end of its connection.
  gate.silence();
  server.service.kill();
  server.service.start();
  const others: Connection[] = [];
  while ((others.at(-1)?.threadId ?? 0) < number) others.push(keep(connectAgain()));
  assert.equal(others.at(-1)?.threadId, number);
  const working = spawn(() => value(others.at(-1) as Connection, 'SELECT SLEEP(60)'));
  untilRunning(server.options(), 'SELECT SLEEP(60)');
  assert.equal(known.closed, false);
  assert.equal(killer.isWorkedFor(known), false);
  const done = new Event();
  killer.killSession(known, () => done.set());
  done.wait();
  working.kill();
  for (const other of others) assert.equal(value(other, 'SELECT 1'), 1);

  // One that it knows is ended.
  const young = keep(new Session(connect(server.options())));
  killer.killSession(young, () => {});
  while (!young.closed) sleep(5);
}

function connectAgain(): Connection {
  for (;;) {
    try {
      return createConnection(server.options());
    } catch {
      sleep(20); // it is not up yet
    }
  }
}
