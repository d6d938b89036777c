import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Event, sleep, spawn } from '@tendril/core';
import { useServer, withPool } from './helpers.js';

const copyIn = 'COPY copied FROM STDIN';
const copyOut = 'COPY copied TO STDOUT';

function* lines(count: number): Generator<string> {
  for (let n = 1; n <= count; n++) yield `${n}\tline ${n}\n`;
}

describe('COPY', () => {
  useServer();

  test(
    'in and out again, 200,000 rows',
    withPool((pool) => {
      pool.query('CREATE TABLE copied (n int, line text)');
      assert.equal(pool.copyFrom(copyIn, lines(200_000)), 200_000);
      const [sum] = pool.query('SELECT count(*)::int, sum(n)::int8 FROM copied').rows;
      assert.deepEqual(sum, { count: 200_000, sum: '20000100000' });
      const text = Buffer.concat([...pool.copyTo(copyOut)]).toString();
      assert.equal(text, [...lines(200_000)].join(''));
      pool.query('CREATE TABLE twin (LIKE copied)');
      assert.equal(pool.copyFrom('COPY twin FROM STDIN', pool.copyTo(copyOut)), 200_000);
      assert.equal(pool.copyFrom(copyIn, []), 0);
      assert.equal(pool.idleCount, 2);
    }),
  );

  test(
    'in: whatever goes wrong, the server drops it all and the connection serves on',
    withPool(
      (pool) => {
        pool.query('TRUNCATE copied');
        const pid = pool.query('SELECT pg_backend_pid() AS pid').rows[0].pid;
        const mine = new Error('mine');
        function* failing() {
          yield* lines(50_000);
          throw mine;
        }
        assert.throws(
          () => pool.copyFrom(copyIn, failing()),
          (error) => error === mine,
        );
        assert.throws(() => pool.copyFrom(copyIn, ['1\ta\n', 'not a number\tb\n']), {
          code: '22P02',
        });
        assert.throws(() => pool.copyFrom('COPY nowhere FROM STDIN', lines(100_000)), {
          code: '42P01',
        });
        assert.throws(() => pool.copyFrom('SELECT 1', []), { code: 'ERR_INVALID_ARG' });
        const begun = new Event();
        const killed = spawn(() => {
          function* slow() {
            for (const line of lines(1000)) {
              yield line.padEnd(70_000);
              begun.set();
              sleep(1);
            }
          }
          pool.copyFrom(copyIn, slow());
        });
        begun.wait();
        killed.kill();
        const [row] = pool.query('SELECT count(*)::int, pg_backend_pid() AS pid FROM copied').rows;
        assert.equal(row.count, 0);
        assert.equal(row.pid, pid);
      },
      { max: 1 },
    ),
  );

  test(
    'out: errors, leaving early, and a kill cost no connection',
    withPool(
      (pool) => {
        const pid = pool.query('SELECT pg_backend_pid() AS pid').rows[0].pid;
        const many = 'COPY (SELECT 10 / (n - $) FROM generate_series(1, 10000000) n) TO STDOUT';
        for (const at of [1, 50_000])
          assert.throws(() => [...pool.copyTo(many.replace('$', String(at)))], { code: '22012' });
        for (const _ of pool.copyTo(many.replace('$', '-1'))) break;
        const begun = new Event();
        const killed = spawn(() => {
          for (const _ of pool.copyTo(many.replace('$', '-1'))) {
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
});
