import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { Event, run, sleep, spawn, Timeout, withTimeout } from '@tendril/core';
import { createConnection, type Pool, type PoolConnection } from '@tendril/mysql';
import { fromInnodb, serverOfFile, until, value } from './helpers.js';

const server = serverOfFile();
const count = (pool: Pool) => Number(value(pool, 'SELECT COUNT(*) FROM t'));
const add = (connection: PoolConnection, id: number) =>
  connection.query('INSERT INTO t VALUES (?, 0)', [id]);

describe('transactions', () => {
  beforeEach(() =>
    run(() => {
      using connection = createConnection(server.options());
      connection.query('CREATE OR REPLACE TABLE t (id INT PRIMARY KEY, n INT) ENGINE=InnoDB');
    }),
  );

  test(
    'commit when the function returns, roll back when it throws',
    server.pooled((pool) => {
      assert.equal(
        pool.transaction((connection) => {
          add(connection, 1);
          return 'done';
        }),
        'done',
      );
      const boom = new Error('boom');
      const failing = () =>
        pool.transaction((connection) => {
          add(connection, 2);
          throw boom;
        });
      assert.throws(failing, (error) => error === boom);
      assert.equal(count(pool), 1);
      for (const fn of [undefined, async () => {}])
        assert.throws(() => pool.transaction(fn as never), { code: 'ERR_INVALID_ARG' });
    }),
  );

  test(
    'nested they are savepoints',
    server.pooled((pool) => {
      pool.transaction((connection) => {
        add(connection, 1);
        connection.transaction(() => add(connection, 2));
        assert.throws(
          () =>
            connection.transaction(() => {
              add(connection, 3);
              connection.transaction(() => add(connection, 4));
              throw new Error('inner');
            }),
          /inner/,
        );
        add(connection, 5);
        assert.throws(() => connection.transaction(() => 0, { retry: 1 }), {
          code: 'ERR_INVALID_ARG',
        });
        const other = spawn(() => {
          try {
            return connection.transaction(() => 0);
          } catch (error) {
            return (error as { code?: string }).code;
          }
        });
        assert.equal(other.get(), 'ERR_CONCURRENT_USE');
        assert.throws(() => connection.release(), { code: 'ERR_RELEASE' });
      });
      const ids = pool.query('SELECT GROUP_CONCAT(id ORDER BY id) AS ids FROM t')[0];
      assert.deepEqual({ ...(ids as object[])[0] }, { ids: '1,2,5' });
    }),
  );

  for (const where of ['a query', 'a pause'])
    test(
      `a timeout in ${where} rolls back, and the connection is lent again clean`,
      server.pooled(
        (pool) => {
          const id = value(pool, 'SELECT CONNECTION_ID()');
          const limit = Timeout.startNew(100);
          const since = performance.now();
          assert.throws(
            () =>
              pool.transaction((connection) => {
                add(connection, 1);
                if (where === 'a query') connection.query('SELECT SLEEP(30)');
                else sleep(30_000);
              }),
            (error) => error === limit,
          );
          assert.ok(performance.now() - since < 15_000);
          assert.equal(value(pool, 'SELECT CONNECTION_ID()'), id, 'it was worth keeping');
          assert.equal(count(pool), 0);
          assert.equal(value(pool, 'SELECT @@in_transaction'), 0);
        },
        { connectionLimit: 1 },
      ),
    );

  test(
    'a timeout that is caught in a transaction costs its statement only',
    server.pooled((pool) => {
      pool.transaction((connection) => {
        add(connection, 1);
        withTimeout(50, () => connection.query('SELECT SLEEP(30)'), { value: 0 });
        withTimeout(
          50,
          () =>
            connection.transaction(() => {
              add(connection, 2);
              connection.query('SELECT SLEEP(30)');
            }),
          { value: 0 },
        );
        add(connection, 3);
      });
      assert.equal(count(pool), 2);
    }),
  );

  test(
    'what a connection leaves open when it is released is rolled back before it is lent again',
    server.pooled(
      (pool) => {
        for (const begin of ['BEGIN', 'SET autocommit = 0']) {
          using connection = pool.getConnection();
          connection.query(begin);
          add(connection, 1);
        }
        assert.equal(count(pool), 0);
        assert.equal(value(pool, 'SELECT @@in_transaction'), 0);
      },
      { connectionLimit: 1 },
    ),
  );

  test(
    'isolation and readOnly count for this transaction only',
    server.pooled(
      (pool) => {
        const level = () =>
          pool.transaction((connection) => {
            add(connection, 1);
            const sql =
              'SELECT trx_isolation_level FROM information_schema.innodb_trx WHERE trx_mysql_thread_id = CONNECTION_ID()';
            const found = fromInnodb(() => value(connection, sql));
            connection.query('DELETE FROM t');
            return found;
          });
        const isolation = 'READ COMMITTED';
        assert.equal(level(), 'REPEATABLE READ');
        pool.transaction((connection) => add(connection, 9), { isolation });
        assert.equal(level(), 'REPEATABLE READ');
        assert.throws(() => pool.transaction((c) => add(c, 2), { readOnly: true }), {
          code: 'ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION',
        });
        assert.throws(() => pool.transaction(() => 0, { isolation: 'NONE' as never }), {
          code: 'ERR_INVALID_ARG',
        });
        assert.throws(() => pool.transaction(() => 0, { retry: -1 }), { code: 'ERR_INVALID_ARG' });
      },
      { connectionLimit: 1 },
    ),
  );

  /** Two transactions that lock two rows in opposite order. */
  function cross(pool: Pool, retry: number): unknown[] {
    pool.query('INSERT INTO t VALUES (1, 0), (2, 0)');
    const both = [new Event(), new Event()];
    const all = [0, 1].map((me) =>
      spawn(() => {
        let runs = 0;
        const change = (connection: PoolConnection) => {
          runs++;
          connection.query('UPDATE t SET n = n + 1 WHERE id = ?', [me + 1]);
          both[me]?.set();
          both[1 - me]?.wait();
          connection.query('UPDATE t SET n = n + 1 WHERE id = ?', [2 - me]);
        };
        try {
          pool.transaction(change, { retry });
          return runs;
        } catch (error) {
          return (error as { code?: string }).code;
        }
      }),
    );
    return all.map((each) => each.get());
  }

  test(
    'a deadlock is an error',
    server.pooled((pool) => {
      assert.deepEqual(cross(pool, 0).sort(), [1, 'ER_LOCK_DEADLOCK']);
      assert.equal(Number(value(pool, 'SELECT SUM(n) FROM t')), 2);
    }),
  );

  test(
    'or runs again',
    server.pooled((pool) => {
      assert.deepEqual(cross(pool, 3).sort(), [1, 2]);
      assert.equal(Number(value(pool, 'SELECT SUM(n) FROM t')), 4);
    }),
  );

  test(
    'a lock that does not come in time makes it run again',
    server.pooled((pool) => {
      pool.query('INSERT INTO t VALUES (1, 0)');
      const connection = pool.getConnection();
      connection.beginTransaction();
      connection.query('UPDATE t SET n = 5');
      let runs = 0;
      pool.transaction(
        (mine) => {
          if (++runs === 2) connection.commit();
          mine.query('SET STATEMENT innodb_lock_wait_timeout = 1 FOR UPDATE t SET n = n + 1');
        },
        { retry: true },
      );
      assert.equal(runs, 2);
      assert.equal(value(pool, 'SELECT n FROM t'), 6);
      connection.release();
    }),
  );

  test(
    'who catches a deadlock cannot commit the rest as if nothing had happened',
    server.pooled((pool) => {
      pool.query('INSERT INTO t VALUES (1, 0), (2, 0)');
      const other = pool.getConnection();
      using observer = createConnection(server.options());
      const sql = 'SELECT COUNT(*) FROM information_schema.innodb_lock_waits';
      const waits = () => fromInnodb(() => Number(value(observer, sql)));
      other.beginTransaction();
      // More changes than the victim: InnoDB rolls back the smaller one.
      for (let id = 10; id < 40; id++) add(other, id);
      other.query('UPDATE t SET n = 1 WHERE id = 1');
      assert.throws(
        () =>
          pool.transaction((mine) => {
            mine.query('UPDATE t SET n = 2 WHERE id = 2');
            const rival = spawn(() => other.query('UPDATE t SET n = 1 WHERE id = 2'));
            until(() => waits() === 1);
            try {
              mine.query('UPDATE t SET n = 2 WHERE id = 1');
            } catch {
              // as careless code does
            }
            rival.get();
            assert.throws(() => add(mine, 99), { code: 'ER_LOCK_DEADLOCK' });
          }),
        { code: 'ER_LOCK_DEADLOCK' },
      );
      other.rollback();
      other.release();
      until(() => pool.statistics().lent === 0);
      assert.equal(count(pool), 2);
    }),
  );
});
