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
  run(() =>
    withTimeout(20_000, () => {
      const before = createConnection(server.options());
      const known = new Session(connect(server.options()));
      const number = known.threadId;
      server.service.kill();
      server.service.start();
      before.destroy();
      const killer = new Killer(server.options());
      const others: Connection[] = [];
      while ((others.at(-1)?.threadId ?? 0) < number) others.push(connectAgain());
      assert.equal(others.at(-1)?.threadId, number);
      const done = new Event();
      killer.killSession(known, () => done.set());
      done.wait();
      for (const other of others) assert.equal(value(other, 'SELECT 1'), 1);

      // One that it knows is ended.
      const young = new Session(connect(server.options()));
      killer.killSession(young, () => {});
      while (!young.closed) sleep(5);
      killer.close();
      for (const other of others) other.destroy();
    }),
  ) as Promise<void>);

function connectAgain(): Connection {
  for (;;) {
    try {
      return createConnection(server.options());
    } catch {
      sleep(20); // it is not up yet
    }
  }
}
