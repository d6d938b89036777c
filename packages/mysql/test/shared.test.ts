/** One connection for several greenlets, and what interrupted statements leave on it. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { Event, run, sleep, spawn, withTimeout } from '@tendril/core';
import { type Connection, createConnection, createPool } from '@tendril/mysql';
import { fromInnodb, running, serverOfFile, until, value } from './helpers.js';

const server = serverOfFile();
const names = (from: Connection) =>
  value(from, 'SELECT GROUP_CONCAT(name ORDER BY id) FROM t') as string | null;
const add = (connection: Connection, name: string) =>
  connection.query('INSERT INTO t (name) VALUES (?)', [name]);

/** What it returns, or the code or message of what it throws. */
const codeOf = (fn: () => unknown) => {
  try {
    return fn();
  } catch (error) {
    return (error as { code?: string }).code ?? (error as Error).message;
  }
};

describe('a shared connection', () => {
  beforeEach(() =>
    run(() => {
      using connection = createConnection(server.options());
      connection.query(
        'CREATE OR REPLACE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(9)) ENGINE=InnoDB',
      );
    }),
  );

  for (const later of [false, true])
    test(
      `two transactions ${later ? 'one after the other has begun' : 'that begin together'} do not mix`,
      server.connected((connection) => {
        const begun = new Event();
        const told: string[] = [];
        const transaction = (name: string, fails: boolean) =>
          codeOf(() =>
            connection.transaction(() => {
              add(connection, name);
              begun.set();
              told.push(name);
              connection.query('DO SLEEP(0.05)');
              told.push(name);
              if (fails) throw new Error(`${name} fails`);
              return `${name} committed`;
            }),
          );
        const first = spawn(() => transaction('a', true));
        if (later) begun.wait();
        const second = spawn(() => transaction('b', false));
        assert.deepEqual([first.get(), second.get()], ['a fails', 'b committed']);
        assert.deepEqual(told, ['a', 'a', 'b', 'b']);
        assert.equal(names(connection), 'b');
      }),
    );

  test(
    'a query of another greenlet is no part of the transaction, begun in whatever way',
    server.connected((connection) => {
      for (const how of ['transaction', 'by hand']) {
        const begun = new Event();
        const outsider = spawn(() => {
          begun.wait();
          add(connection, 'kept');
        });
        const owner = spawn(() => {
          if (how === 'transaction')
            codeOf(() =>
              connection.transaction(() => {
                add(connection, 'lost');
                begun.set();
                connection.query('DO SLEEP(0.05)');
                throw new Error('rolls back');
              }),
            );
          else {
            connection.beginTransaction();
            add(connection, 'lost');
            begun.set();
            connection.query('DO SLEEP(0.05)');
            connection.rollback();
          }
        });
        owner.get();
        outsider.get();
      }
      assert.equal(names(connection), 'kept,kept');
    }),
  );

  test(
    'two that nest in one transaction: the second gets an error, and nothing is mixed',
    server.connected((connection) => {
      connection.transaction(() => {
        add(connection, 'outer');
        const both = ['a', 'b'].map((name) =>
          spawn(() => codeOf(() => connection.transaction(() => add(connection, name)))),
        );
        assert.deepEqual(
          both.map((each) => each.get()),
          ['ERR_CONCURRENT_USE', 'ERR_CONCURRENT_USE'],
        );
        // Greenlets that were spawned in it may take part with single statements.
        spawn(() => add(connection, 'child')).get();
      });
      assert.equal(names(connection), 'outer,child');
    }),
  );

  for (const where of ['a query', 'a wait'])
    test(
      `a transaction that is killed in ${where} gives the connection to whoever waits, rolled back`,
      server.connected((connection) => {
        const begun = new Event();
        const owner = spawn(() =>
          connection.transaction(() => {
            add(connection, 'lost');
            begun.set();
            if (where === 'a query') connection.query('SELECT SLEEP(30)');
            else new Event().wait();
          }),
        );
        begun.wait();
        const other = spawn(() => connection.transaction(() => add(connection, 'kept')));
        sleep(0); // it begins, and waits for its turn
        owner.kill({ error: new Error('an error of its own class') });
        other.get();
        assert.equal(names(connection), 'kept');
      }),
    );

  test(
    'who waited for a connection when it was given back gets an error, and not another one’s session',
    server.pooled(
      (pool) => {
        const connection = pool.getConnection();
        using observer = createConnection(server.options());
        observer.query("SELECT GET_LOCK('gate', 0)");
        const first = spawn(() => connection.query("SELECT GET_LOCK('gate', 60)"));
        until(() => running(observer, 'SELECT GET_LOCK%') === 1);
        const second = spawn(() => codeOf(() => connection.query('SET @mine = 1')));
        sleep(0); // it begins, and waits for its turn
        connection.release();
        observer.query("SELECT RELEASE_LOCK('gate')");
        first.get();
        assert.equal(second.get(), 'ERR_CONNECTION_CLOSED');
        assert.equal(value(pool, 'SELECT @mine'), null);
      },
      { connectionLimit: 1 },
    ),
  );

  test(
    'one that is given back in the midst of another greenlet’s transaction is rolled back and lent again',
    server.pooled(
      (pool) => {
        const connection = pool.getConnection();
        const begun = new Event();
        const goOn = new Event();
        const owner = spawn(() =>
          codeOf(() =>
            connection.transaction(() => {
              add(connection, 'lost');
              begun.set();
              goOn.wait();
            }),
          ),
        );
        begun.wait();
        connection.release();
        using mine = pool.getConnection();
        mine.beginTransaction();
        add(mine, 'kept');
        goOn.set();
        assert.equal(owner.get(), 'ERR_CONNECTION_CLOSED');
        mine.commit();
        assert.equal(names(mine), 'kept');
      },
      { connectionLimit: 1 },
    ),
  );
});

describe('what took effect after its greenlet gave up', () => {
  const cases: [what: string, sql: string, look: string, clean: unknown][] = [
    [
      'a lock',
      "SELECT GET_LOCK('abandoned', 30), SLEEP(30)",
      "SELECT IS_USED_LOCK('abandoned')",
      null,
    ],
    ['a variable', 'SELECT @abandoned := 1, SLEEP(30)', 'SELECT @abandoned', null],
    ['a setting', "SET sql_mode = '', @rest = (SELECT SLEEP(30))", "SELECT @@sql_mode = ''", 0],
  ];
  for (const [what, sql, look, clean] of cases)
    test(
      `${what} does not stay in the pool, and the character set and database do`,
      server.pooled(
        (pool) => {
          const session =
            'SELECT CONCAT_WS(",", DATABASE(), @@character_set_client, @@collation_connection)';
          const before = value(pool, session);
          const id = value(pool, 'SELECT CONNECTION_ID()');
          withTimeout(200, () => pool.query(sql), { value: undefined });
          assert.equal(Number(value(pool, look) ?? -1), clean ?? -1);
          assert.equal(value(pool, session), before);
          assert.equal(value(pool, "SELECT 'ä€😀'"), 'ä€😀');
          assert.equal(value(pool, 'SELECT CONNECTION_ID()'), id, 'it was worth keeping');
          const [[row]] = pool.execute('SELECT ? AS prepared', [1]) as unknown as [
            { prepared: number }[],
          ];
          assert.equal(Number(row?.prepared), 1);
        },
        { connectionLimit: 1 },
      ),
    );

  test(
    'statements that are kept prepared are prepared again after it',
    server.pooled(
      (pool) => {
        const sql = 'SELECT ? AS n';
        assert.equal(Number(Object.values((pool.execute(sql, [1])[0] as object[])[0] ?? {})[0]), 1);
        withTimeout(100, () => pool.query('SELECT SLEEP(30)'), { value: undefined });
        assert.equal(Number(Object.values((pool.execute(sql, [2])[0] as object[])[0] ?? {})[0]), 2);
      },
      { connectionLimit: 1 },
    ),
  );

  test('a transaction that was begun for nobody is rolled back on a connection that stays', () =>
    run(() => {
      using connection = createConnection(server.options());
      const sql = 'BEGIN; SELECT SLEEP(30)';
      using several = createConnection({ ...server.options(), multipleStatements: true });
      withTimeout(200, () => several.query(sql), { value: undefined });
      assert.equal(value(several, 'SELECT @@in_transaction'), 0);
      const open = 'SELECT COUNT(*) FROM information_schema.innodb_trx';
      assert.equal(
        fromInnodb(() => value(connection, open)),
        0,
      );
    }) as Promise<void>);
});

describe('onConnect', () => {
  test('is called with each new connection before it is lent, and after a reset', () =>
    run(() => {
      let calls = 0;
      using pool = createPool({
        ...server.options(),
        connectionLimit: 1,
        onConnect: (connection) => {
          calls++;
          connection.query("SET time_zone = '+03:00'");
        },
      });
      assert.equal(value(pool, 'SELECT @@time_zone'), '+03:00');
      assert.equal(value(pool, 'SELECT @@time_zone'), '+03:00');
      assert.equal(calls, 1);
      withTimeout(100, () => pool.query('SELECT SLEEP(30)'), { value: undefined });
      assert.equal(value(pool, 'SELECT @@time_zone'), '+03:00');
      assert.equal(calls, 2);
    }) as Promise<void>);

  test('what it throws is what the waiting greenlet gets, and the connection is closed', () =>
    run(() => {
      const boom = new Error('boom');
      using pool = createPool({
        ...server.options(),
        onConnect: () => {
          throw boom;
        },
      });
      assert.throws(
        () => pool.query('DO 0'),
        (error) => error === boom,
      );
      assert.equal(pool.statistics().size, 0);
      assert.throws(() => createPool({ onConnect: 1 as never }), { code: 'ERR_INVALID_ARG' });
    }) as Promise<void>);
});
