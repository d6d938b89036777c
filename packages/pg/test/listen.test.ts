import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sleep, spawn } from '@tendril/core';
import type { Notification } from '@tendril/pg';
import { until, useServer, withClient, withPool } from './helpers.js';

const listening = `SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%'`;

describe('listen', () => {
  useServer();

  test(
    'yields what is notified from then on, and ends with close()',
    withPool((pool) => {
      const listener = pool.listen('Some "channel"');
      const got: Notification[] = [];
      const reader = spawn(() => {
        for (const each of listener) got.push(each);
        return 'ended';
      });
      pool.query('SELECT pg_notify($1, $2)', ['Some "channel"', 'one']);
      pool.query('SELECT pg_notify($1, $2)', ['other', 'not for us']);
      pool.query('NOTIFY "Some ""channel"""');
      until(() => got.length === 2);
      assert.deepEqual(got, [
        { channel: 'Some "channel"', payload: 'one' },
        { channel: 'Some "channel"', payload: '' },
      ]);
      listener.close();
      assert.equal(reader.get(), 'ended');
      until(() => pool.query(listening).rows.length === 0);
    }),
  );

  test(
    'connects again when its backend is terminated',
    withPool((pool) => {
      using listener = pool.listen('again');
      for (let round = 0; round < 3; round++) {
        pool.query(`SELECT pg_terminate_backend(pid) FROM (${listening}) AS l`);
        until(() => !listener.connected);
        until(() => listener.connected);
        pool.query(`NOTIFY again, 'round ${round}'`);
        assert.equal(listener.next().value?.payload, `round ${round}`);
      }
    }),
  );

  test(
    'ends with break, with a kill, and with its pool or client',
    withClient((client) => {
      const listener = client.listen('c');
      client.query('NOTIFY c');
      for (const _ of listener) break;
      assert.ok(listener.closed);
      until(() => client.query(listening).rows.length === 0);
      const interrupted = client.listen('c');
      const killed = spawn(() => {
        for (const _ of interrupted);
      });
      sleep(0);
      killed.kill();
      assert.ok(interrupted.closed);
      until(() => client.query(listening).rows.length === 0);
      const last = client.listen('c');
      const reader = spawn(() => [...last]);
      sleep(0);
      client.end();
      assert.deepEqual(reader.get(), []);
    }),
  );

  test(
    'makes the server wait while thousands are unread, and loses none',
    withPool((pool) => {
      using listener = pool.listen('many');
      // More than the buffers of a connection hold.
      const payload = 'lpad(n::text, 2000)';
      pool.query(`SELECT pg_notify('many', ${payload}) FROM generate_series(1, 20000) n`);
      const stuck = `${listening} AND wait_event = 'ClientWrite'`;
      until(() => pool.query(stuck).rows.length === 1);
      for (let n = 1; n <= 20_000; n++)
        assert.equal(listener.next().value?.payload.trimStart(), String(n));
    }),
  );
});
