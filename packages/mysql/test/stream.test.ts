import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run, sleep, spawn, withTimeout } from '@tendril/core';
import { check } from '@tendril/core/subprocess';
import type { RowDataPacket } from '@tendril/mysql';
import { running, serverOfFile, until, value } from './helpers.js';

const server = serverOfFile();

interface Numbered extends RowDataPacket {
  seq: number;
}

describe('streams', () => {
  test('a million rows need less than 50 MB', () =>
    run(() => {
      const child = fileURLToPath(new URL('./children/stream-memory.js', import.meta.url));
      const out = check(
        process.execPath,
        ['--expose-gc', child, JSON.stringify(server.options())],
        { encoding: 'utf8', timeout: 60_000 },
      );
      const { rows, sum, megabytes } = JSON.parse(String(out));
      assert.equal(rows, 1_000_000);
      assert.equal(sum, 500_000_500_000);
      assert.ok(megabytes < 50, `${megabytes} MB`);
    }) as Promise<void>);

  test(
    'rows come in order, with values, on a pool and on a connection',
    server.pooled((pool) => {
      using connection = pool.getConnection();
      for (const from of [pool, connection]) {
        const seen: number[] = [];
        for (const { seq } of from.stream<Numbered>('SELECT seq FROM seq_1_to_? AS s', [5000]))
          seen.push(seq);
        assert.equal(seen.length, 5000);
        assert.ok(seen.every((seq, i) => seq === i + 1));
      }
      assert.deepEqual([...pool.stream('SELECT 1 FROM DUAL WHERE FALSE')], []);
      assert.deepEqual([...pool.stream('DO 1')], []);
    }),
  );

  test(
    'a consumer that waits lets others run, and the server wait',
    server.pooled((pool) => {
      let ticks = 0;
      const ticker = spawn(() => {
        for (;;) {
          sleep(1);
          ticks++;
        }
      });
      let rows = 0;
      for (const _ of pool.stream("SELECT seq, REPEAT('x', 1000) FROM seq_1_to_20000")) {
        if (++rows % 1000 === 0) sleep(5);
      }
      ticker.kill();
      assert.equal(rows, 20_000);
      assert.ok(ticks > 10, `${ticks} ticks`);
    }),
  );

  test(
    'leaving early, by break or by an error, stops the query and keeps the connection',
    server.pooled(
      (pool) => {
        const id = value(pool, 'SELECT CONNECTION_ID()');
        const read = (at: number) => {
          for (const { seq } of pool.stream<Numbered>('SELECT seq FROM seq_1_to_1000000000')) {
            if (seq === at) return;
            if (seq > at) throw new Error('enough');
          }
        };
        read(10);
        read(100_000);
        assert.throws(() => read(0.5), /enough/);
        // The rest of the result would take minutes.
        assert.equal(value(pool, 'SELECT CONNECTION_ID()'), id);
        assert.equal(running(pool, 'SELECT seq%'), 0);
      },
      { connectionLimit: 1 },
    ),
  );

  test(
    'an error of the server comes out of the loop, also after rows',
    server.pooled((pool) => {
      const id = value(pool, 'SELECT CONNECTION_ID()');
      assert.throws(() => [...pool.stream('SELECT * FROM nothing')], { code: 'ER_NO_SUCH_TABLE' });
      const sql = `SELECT IF(seq < 5000, seq, (SELECT 1 UNION SELECT 2)) AS v FROM seq_1_to_10000`;
      const read = () => [...pool.stream(sql)];
      assert.throws(read, { code: 'ER_SUBQUERY_NO_1_ROW', errno: 1242 });
      assert.equal(value(pool, 'SELECT CONNECTION_ID()'), id);
      assert.equal(pool.statistics().size, 1);
    }),
  );

  test(
    'a row of 8 MB is no matter',
    server.pooled((pool) => {
      const [row] = [...pool.stream<RowDataPacket>("SELECT REPEAT('x', 8000000) AS big")];
      assert.equal(row?.big.length, 8_000_000);
    }),
  );

  test(
    'a timeout while waiting for a row goes on at once',
    server.pooled((pool) => {
      const since = performance.now();
      const late = withTimeout(100, () => [...pool.stream('SELECT SLEEP(30)')], { value: 'late' });
      assert.equal(late, 'late');
      assert.ok(performance.now() - since < 15_000);
      until(() => running(pool, 'SELECT SLEEP(30)%') === 0);
    }),
  );

  test(
    'the pool ends with a stream that nobody reads any more',
    server.pooled((pool) => {
      const stream = pool.stream<Numbered>('SELECT seq FROM seq_1_to_1000000000');
      assert.equal(stream.next().value?.seq, 1);
      pool.end({ timeout: 100 });
      assert.throws(() => [...stream], { code: 'ERR_POOL_CLOSED' });
    }),
  );
});
