import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isExit, sleep, spawn, Timeout, withTimeout } from '@tendril/core';
import { Client } from '@tendril/pg';
import { login, until, useServer, withClient, withPool } from './helpers.js';

const sleeping = `SELECT count(*)::int AS n FROM pg_stat_activity
  WHERE state = 'active' AND query LIKE '%pg_sleep(30)%' AND pid <> pg_backend_pid()`;

describe('an interrupt', () => {
  useServer();

  test(
    'of a query of 30 seconds: the greenlet goes on at once, and the server has stopped a second later',
    withPool(
      (pool) => {
        const observer = new Client(login()).connect();
        const since = performance.now();
        assert.throws(() => withTimeout(200, () => pool.query('SELECT pg_sleep(30)')), Timeout);
        const took = performance.now() - since;
        assert.ok(took >= 199 && took < 15_000, `${took} ms`);
        assert.equal(pool.totalCount, 1, 'the pool did not shrink');
        assert.equal(pool.query('SELECT 1 AS n').rows[0].n, 1);
        until(() => observer.query(sleeping).rows[0].n === 0);
        observer.end();
      },
      { max: 1 },
    ),
  );

  test(
    'keeps the connection: the same process serves on, a hundred times',
    withClient((client) => {
      const { processID } = client;
      for (let i = 0; i < 100; i++) {
        assert.throws(() => withTimeout(i % 5, () => client.query('SELECT pg_sleep(30)')), Timeout);
        assert.equal(client.query('SELECT $1::int AS n', [i]).rows[0].n, i);
        assert.equal(client.query('SELECT pg_backend_pid() AS pid').rows[0].pid, processID);
      }
    }),
  );

  test(
    'of a client that is held: its next query waits until it is clean, a release does not',
    withPool(
      (pool) => {
        const client = pool.connect();
        client.query('BEGIN');
        assert.throws(() => withTimeout(20, () => client.query('SELECT pg_sleep(30)')), Timeout);
        assert.throws(() => client.query('SELECT 1'), { code: '25P02' });
        let others = 'have not run';
        spawn(() => {
          others = 'have run';
        });
        client.release();
        assert.equal(others, 'have not run');
        using next = pool.connect();
        assert.equal(next.getTransactionStatus(), 'I', 'the open transaction was rolled back');
        assert.throws(() => client.release(), { code: 'ERR_RELEASE' });
        assert.throws(() => client.query('SELECT 1'), { code: 'ERR_CLIENT_CLOSED' });
      },
      { max: 1 },
    ),
  );

  test(
    'by query_timeout stops the query on the server',
    withClient(
      (client) => {
        assert.throws(() => client.query('SELECT pg_sleep(30)'), { code: 'ERR_QUERY_TIMEOUT' });
        const observer = new Client(login()).connect();
        until(() => observer.query(sleeping).rows[0].n === 0);
        observer.end();
      },
      { query_timeout: 100 },
    ),
  );

  test(
    'with `pipeline` cancels only what it may, and everybody gets the own answer',
    withClient(
      (client) => {
        const since = performance.now();
        const work = [100, 1, 1, 1].map((ms, i) =>
          spawn(
            () => client.query('SELECT $1::int AS n FROM pg_sleep($2)', [i, ms / 1000]).rows[0].n,
          ),
        );
        sleep(20);
        work[2]?.kill();
        const last = spawn(() => client.query('SELECT pg_sleep(30)'));
        sleep(20);
        last.kill();
        assert.ok(isExit(last.value));
        const after = spawn(() => client.query('SELECT 7 AS n').rows[0].n);
        assert.deepEqual([work[0]?.get(), work[1]?.get(), work[3]?.get()], [0, 1, 3]);
        assert.equal(after.get(), 7);
        assert.ok(performance.now() - since < 15_000, 'the last one was cancelled');
        const many = Array.from({ length: 500 }, (_, i) =>
          spawn(() => client.query('SELECT $1::int AS n', [i]).rows[0].n),
        );
        assert.ok(many.every((each, i) => each.get() === i));
        assert.throws(() => client.query('SELECT 1/0'), { code: '22012' });
        assert.equal(client.query('SELECT 1 AS n').rows[0].n, 1);
        const unsupported = { code: 'ERR_UNSUPPORTED' };
        assert.throws(() => client.transaction(() => {}), unsupported);
        assert.throws(() => [...client.cursor('SELECT 1')], unsupported);
      },
      { pipeline: true },
    ),
  );
});
