import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Event, run, sleep, spawn, wait } from '@tendril/core';
import { Client } from '@tendril/pg';
import type { CustomTypesConfig } from 'pg';
import { login, server, until, useServer, withClient, withPool } from './helpers.js';
import { openWire } from './wire.js';

const series = 'SELECT n FROM generate_series(1, $1::int) AS n';

describe('cursor', () => {
  useServer();

  test('reads a million rows within 50 MB, garbage included', async () => {
    const script = fileURLToPath(new URL('./cursor-memory.js', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [
      script,
      JSON.stringify(login()),
    ]);
    const { count, sum, megabytes } = JSON.parse(stdout);
    assert.deepEqual([count, sum], [1_000_000, 500_000_500_000]);
    assert.ok(megabytes < 50, `${megabytes} MB`);
  });

  for (const count of [0, 1, 99, 100, 101, 200])
    test(
      `of ${count} rows in batches of 100 yields each once`,
      withPool((pool) => {
        const rows = [...pool.cursor<{ n: number }>(series, [count], { batchSize: 100 })];
        assert.deepEqual(
          rows.map(({ n }) => n),
          Array.from({ length: count }, (_, i) => i + 1),
        );
        assert.equal(pool.idleCount, 1);
      }),
    );

  for (const [length, batches] of [
    [1, [32, 128, 500, 340]],
    [16_000, [32, ...Array.from({ length: 242 }, () => 4)]],
  ] as const)
    test(`of rows of ${length} bytes asks for as many as have about 64 KiB`, () =>
      run(() => {
        const wire = wait(openWire(server()));
        const client = new Client({ ...login(), port: wire.port }).connect();
        wire.answered.length = 0;
        const sql = 'SELECT repeat($1, $2::int) FROM generate_series(1, 1000)';
        for (const _ of client.cursor(sql, ['x', length]));
        const sizes = wire.answered
          .join('')
          .match(/D+/g)
          ?.map((each) => each.length);
        assert.deepEqual(sizes, batches);
        client.end();
        wait(wire.close());
      }) as Promise<void>);

  test(
    'that is left early is closed, and its connection serves on',
    withPool(
      (pool) => {
        const pid = pool.query('SELECT pg_backend_pid() AS pid').rows[0].pid;
        for (let round = 0; round < 5; round++) {
          for (const { n } of pool.cursor(series, [1_000_000])) if (n === 10) break;
          const [open] = pool.query(
            'SELECT pg_backend_pid() AS pid, (SELECT count(*)::int FROM pg_cursors) AS cursors',
          ).rows;
          assert.deepEqual(open, { pid, cursors: 0 });
        }
        const begun = new Event();
        const killed = spawn(() => {
          for (const _ of pool.cursor(series, [1_000_000])) {
            begun.set();
            sleep(1);
          }
        });
        begun.wait();
        killed.kill();
        assert.equal(pool.query('SELECT pg_backend_pid() AS pid').rows[0].pid, pid);
      },
      { max: 1 },
    ),
  );

  test(
    'within a transaction, with arrays, and its errors',
    withClient((client) => {
      client.transaction(() => {
        const rows = client.cursor('SELECT 1, $1::text', ['a'], { rowMode: 'array' });
        assert.deepEqual([...rows], [[1, 'a']]);
      });
      assert.throws(
        () => [...client.cursor('SELECT 1 / (n - 150) FROM generate_series(1, 300) n')],
        {
          code: '22012',
        },
      );
      assert.throws(() => [...client.cursor('SELEC')], { code: '42601' });
      assert.equal(client.query('SELECT 1 AS n').rows[0].n, 1);
    }),
  );

  test(
    'holds its client: a query on it by the same greenlet is an error, others wait',
    withClient((client) => {
      let other: unknown;
      for (const { n } of client.cursor(series, [300])) {
        if (n !== 50) continue;
        assert.throws(() => client.query('SELECT 1'), { code: 'ERR_CONCURRENT_USE' });
        other = spawn(() => client.query('SELECT 5 AS n').rows[0].n);
        // Enough for it to ask for its turn.
        sleep(0);
      }
      assert.equal((other as { get(): number }).get(), 5);
    }),
  );

  test(
    'whose connection is lost while a batch is looked at throws, instead of ending early',
    withPool((pool) => {
      const client = pool.connect();
      const read = () => {
        for (const { n } of client.cursor(series, [1000])) {
          if (n !== 50) continue;
          pool.query('SELECT pg_terminate_backend($1)', [client.processID]);
          // Whoever waits for the client learns of it.
          const other = spawn(() => {
            assert.throws(() => client.query('SELECT 1'), { code: 'ERR_CONNECTION_LOST' });
          });
          other.get();
        }
      };
      assert.throws(read, (error: { code?: string }) =>
        ['57P01', 'ERR_CONNECTION_LOST'].includes(error.code ?? ''),
      );
      client.release();
    }),
  );

  test(
    'ends with what cannot be sent or read, and its client serves on',
    withClient((client) => {
      const mine = new Error('mine');
      const fail = () => {
        throw mine;
      };
      const itself = (error: unknown) => error === mine;
      const types = { getTypeParser: () => fail } as unknown as CustomTypesConfig;
      assert.throws(() => [...client.cursor('SELECT $1', [{ toPostgres: fail }])], itself);
      assert.throws(() => [...client.cursor(series, [300], { types })], itself);
      assert.throws(() => [...client.cursor(series, ['x'])], { code: '22P02' });
      assert.deepEqual([...client.cursor('')], []);
      assert.deepEqual([...client.cursor('SET application_name = $$cursor$$')], []);
      for (let n = 0; n < 3; n++)
        assert.deepEqual(client.query('SELECT $1::int AS n', [n]).rows, [{ n }]);
    }),
  );

  test(
    'that is left or killed in a transaction leaves the transaction as it should be',
    withPool((pool) => {
      using client = pool.connect();
      client.transaction(() => {
        for (const { n } of client.cursor(series, [1000])) if (n === 10) break;
        assert.equal(client.query('SELECT count(*)::int AS n FROM pg_cursors').rows[0].n, 0);
        assert.equal(client.getTransactionStatus(), 'T');
      });
      const killed = spawn(() =>
        client.transaction(() => [
          ...client.cursor('SELECT n, pg_sleep(10) FROM (VALUES (1)) AS v(n)'),
        ]),
      );
      until(() => client.getTransactionStatus() === 'T');
      killed.kill();
      assert.equal(client.query('SELECT 1 AS n').rows[0].n, 1);
      assert.equal(client.getTransactionStatus(), 'I');
    }),
  );
});
