/** Sessions have numbers, and a server that is started again gives them to others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Event, run, sleep, withTimeout } from '@tendril/core';
import { type Connection, createConnection } from '@tendril/mysql';
import { connect } from '#src/connect.js';
import { Killer } from '#src/killer.js';
import { Session } from '#src/session.js';
import { serverOfFile, value } from './helpers.js';

const server = serverOfFile();

test('nobody is ended in place of a session that a server does not know any more', () =>
  run(() => {
    const left: (Connection | Session)[] = [];
    const keep = <T extends Connection | Session>(connection: T): T => {
      left.push(connection);
      return connection;
    };
    const killer = new Killer(server.options());
    try {
      withTimeout(120_000, () => check(killer, keep));
    } finally {
      killer.close();
      for (const each of left) each.destroy();
    }
  }) as Promise<void>);

function check(killer: Killer, keep: <T extends Connection | Session>(connection: T) => T): void {
  keep(createConnection(server.options()));
  const known = keep(new Session(connect(server.options())));
  const number = known.threadId;
  server.service.kill();
  server.service.start();
  const others: Connection[] = [];
  while ((others.at(-1)?.threadId ?? 0) < number) others.push(keep(connectAgain()));
  assert.equal(others.at(-1)?.threadId, number);
  const done = new Event();
  killer.killSession(known, () => done.set());
  done.wait();
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
