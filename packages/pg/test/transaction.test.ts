import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Event, sleep, spawn } from '@tendril/core';
import type { Pool } from '@tendril/pg';
import { useServer, withPool } from './helpers.js';

function table(pool: Pool, name: string): () => number[] {
  pool.query(`CREATE TABLE ${name} (n int)`);
  return () => pool.query(`SELECT n FROM ${name} ORDER BY n`).rows.map(({ n }) => n);
}

describe('transaction', () => {
  useServer();

  test(
    'commits what the function did and returns its value; rolls back what threw',
    withPool((pool) => {
      const rows = table(pool, 'plain');
      const insert = 'INSERT INTO plain VALUES ($1)';
      const result = pool.transaction((client) => {
        client.query(insert, [1]);
        assert.equal(client.getTransactionStatus(), 'T');
        assert.deepEqual(rows(), []);
        return 'value';
      });
      assert.equal(result, 'value');
      const mine = new Error('mine');
      assert.throws(
        () =>
          pool.transaction((client) => {
            client.query(insert, [2]);
            throw mine;
          }),
        (error) => error === mine,
      );
      const begun = new Event();
      const killed = spawn(() =>
        pool.transaction((client) => {
          client.query(insert, [3]);
          begun.set();
          sleep(10_000);
        }),
      );
      begun.wait();
      killed.kill();
      assert.deepEqual(rows(), [1]);
    }),
  );

  test(
    'that swallows the error of a query is an error, not a silent rollback',
    withPool((pool) => {
      const failed = () =>
        pool.transaction((client) => {
          assert.throws(() => client.query('SELECT 1/0'));
        });
      assert.throws(failed, { code: 'ERR_TRANSACTION_ABORTED' });
    }),
  );

  test(
    'has the isolation and the mode that it is given',
    withPool((pool) => {
      const shown = (options: object) =>
        pool.transaction(
          (client) =>
            ['transaction_isolation', 'transaction_read_only', 'transaction_deferrable'].map(
              (name) => client.query(`SHOW ${name}`).rows[0][name],
            ),
          options,
        );
      assert.deepEqual(shown({}), ['read committed', 'off', 'off']);
      assert.deepEqual(shown({ isolation: 'repeatable read' }), ['repeatable read', 'off', 'off']);
      const all = { isolation: 'SERIALIZABLE', readOnly: true, deferrable: true };
      assert.deepEqual(shown(all), ['serializable', 'on', 'on']);
    }),
  );

  test(
    'within a transaction is a savepoint, and fails alone',
    withPool((pool) => {
      const rows = table(pool, 'nested');
      pool.transaction((client) => {
        client.query('INSERT INTO nested VALUES (1)');
        assert.throws(
          () =>
            client.transaction(() => {
              client.query('INSERT INTO nested VALUES (2)');
              client.query('SELECT 1/0');
            }),
          { code: '22012' },
        );
        client.transaction(() => client.query('INSERT INTO nested VALUES (3)'));
        const { code } = { code: 'ERR_INVALID_ARG' };
        assert.throws(() => client.transaction(() => {}, { isolation: 'serializable' }), { code });
      });
      assert.deepEqual(rows(), [1, 3]);
    }),
  );

  /** Two that read what the other writes: one of them cannot be serialized. */
  const conflict = (pool: Pool, retry: number) => {
    let runs = 0;
    const both = [new Event(), new Event()];
    const all = [0, 1].map((mine) =>
      spawn(() => {
        try {
          return pool.transaction(
            (client) => {
              runs++;
              client.query('SELECT sum(n) FROM doctors');
              both[mine]?.set();
              both[1 - mine]?.wait({ timeout: 30_000 });
              client.query('INSERT INTO doctors VALUES ($1)', [mine]);
              return 'done';
            },
            { isolation: 'serializable', retry },
          );
        } catch (error) {
          return (error as { code: string }).code;
        }
      }),
    );
    return { results: all.map((each) => each.get()).sort(), runs: () => runs };
  };

  test(
    'that cannot be serialized (40001) fails, or is run again as often as it may',
    withPool((pool) => {
      const rows = table(pool, 'doctors');
      const once = conflict(pool, 0);
      assert.deepEqual([once.results, once.runs()], [['40001', 'done'], 2]);
      pool.query('TRUNCATE doctors');
      const again = conflict(pool, 3);
      assert.deepEqual(again.results, ['done', 'done']);
      assert.ok(again.runs() >= 3);
      assert.deepEqual(rows(), [0, 1]);
    }),
  );

  /** Each takes its own row, and then the other's. */
  const deadlock = (pool: Pool, retry: number) => {
    let runs = 0;
    const locked = [new Event(), new Event()];
    const all = [0, 1].map((mine) =>
      spawn(() => {
        try {
          return pool.transaction(
            (client) => {
              runs++;
              const add = 'UPDATE accounts SET n = n + 1 WHERE id = $1';
              client.query(add, [mine]);
              locked[mine]?.set();
              locked[1 - mine]?.wait();
              client.query(add, [1 - mine]);
              return 'done';
            },
            { retry },
          );
        } catch (error) {
          return (error as { code: string }).code;
        }
      }),
    );
    const results = all.map((each) => each.get()).sort();
    return { results, runs, sums: pool.query('SELECT n FROM accounts').rows.map(({ n }) => n) };
  };

  test(
    'that is chosen to break a deadlock (40P01) fails, or is run again, and both are done',
    withPool((pool) => {
      pool.query('CREATE TABLE accounts AS SELECT id, 0 AS n FROM generate_series(0, 1) AS id');
      assert.deepEqual(deadlock(pool, 0), { results: ['40P01', 'done'], runs: 2, sums: [1, 1] });
      pool.query('UPDATE accounts SET n = 0');
      assert.deepEqual(deadlock(pool, 1), { results: ['done', 'done'], runs: 3, sums: [2, 2] });
    }),
  );
});
