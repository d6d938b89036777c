// Kills of a cursor at every moment of the protocol: single messages are held back until the kill is done.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isExit, run, sleep, spawn, wait } from '@tendril/core';
import { Client } from '@tendril/pg';
import { login, server, until, useServer } from './helpers.js';
import { openWire, type Wire } from './wire.js';

/** The rows of a function are all made before the first is sent: no kill comes after that. */
const long = 'SELECT n FROM generate_series(1, 100000000) AS n';
const short = 'SELECT n FROM generate_series(1, 150) AS n';

describe('a cursor that is killed', () => {
  useServer();

  const withWire = (body: (wire: Wire, client: Client) => void) => () =>
    run(() => {
      const wire = wait(openWire(server()));
      const client = new Client({ ...login(), port: wire.port }).connect();
      try {
        body(wire, client);
      } finally {
        client.end();
        wait(wire.close());
      }
    }) as Promise<void>;

  const backend = (client: Client) =>
    client.query('SELECT pg_backend_pid() AS pid').rows[0].pid as number;

  /** The one who reads is killed as soon as `ready`. */
  function kill(client: Client, sql: string, ready: () => boolean): void {
    const reader = spawn(() => [...client.cursor(sql)]);
    until(ready);
    reader.kill();
    assert.ok(isExit(reader.value));
  }

  /** What is held goes on when all has happened that can: the next queries get their own answers. */
  function check(wire: Wire, client: Client, happened: () => boolean): void {
    const { processID } = client;
    until(happened);
    wire.release();
    for (let i = 0; i < 3; i++)
      assert.deepEqual(client.query('SELECT $1::int AS n', [i]).rows, [{ n: i }]);
    assert.equal(backend(client), processID);
    const syncs = wire.sent.filter((each) => each === 'S');
    assert.equal(syncs.length, 1 + 3, 'one of the cursor, one of each query with parameters');
  }

  for (const [type, what] of [
    ['1', 'ParseComplete'],
    ['T', 'RowDescription'],
    ['E', 'the error of the cancel request'],
  ] as const)
    test(
      `before ${what}, while the server is at work`,
      withWire((wire, client) => {
        wire.hold(type);
        kill(client, long, () => wire.sent.includes('E'));
        check(wire, client, () => wire.held.includes('E') && wire.held.includes('Z'));
      }),
    );

  for (const [type, what] of [
    ['T', 'RowDescription'],
    ['D', 'the first row'],
    ['s', 'PortalSuspended'],
    ['C', 'CommandComplete'],
    ['Z', 'ReadyForQuery'],
  ] as const)
    test(
      `before ${what}, when the server is done`,
      withWire((wire, client) => {
        wire.hold(type);
        kill(client, short, () => wire.held.length > 0);
        check(wire, client, () => wire.held.includes('Z'));
      }),
    );

  test(
    'and whose cancel request comes late: the next query waits for that, and is not struck',
    withWire((wire, client) => {
      wire.hold('cancel');
      wire.answered.length = 0;
      kill(client, 'SELECT pg_sleep(0.2)', () => wire.sent.includes('E'));
      until(() => wire.held.includes('cancel') && wire.answered.includes('Z'));
      const next = spawn(() => client.query('SELECT 7 AS n FROM pg_sleep(0.2)').rows[0].n);
      sleep(0);
      assert.ok(!wire.sent.includes('Q'));
      wire.release();
      assert.equal(next.get(), 7);
    }),
  );
});
