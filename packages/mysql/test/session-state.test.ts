// What a greenlet leaves behind on a connection, and who may see it.
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, test } from 'node:test';
import { run, Timeout, withTimeout } from '@tendril/core';
import {
  type Connection,
  createConnection,
  createPool,
  type TypeCastField,
  Types,
} from '@tendril/mysql';
import { serverOfFile, until, value } from './helpers.js';

const server = serverOfFile();

/** Runs something on the pool's only connection, and gives up on it. */
function givenUp(work: () => unknown): void {
  const limit = Timeout.startNew(100);
  assert.throws(work, (error) => error === limit);
}

describe('what was given up', () => {
  const leavings: Record<string, { work: string; left: string; clean: unknown }> = {
    'a lock': {
      work: "SELECT GET_LOCK('mine', 1), SLEEP(30)",
      left: "SELECT IS_USED_LOCK('mine')",
      clean: null,
    },
    'a variable of the session': {
      work: 'SET @mine = 1, time_zone = IF(SLEEP(30), "+01:00", "+01:00")',
      left: 'SELECT @@time_zone',
      clean: 'SYSTEM',
    },
    'a variable of its own': {
      work: 'SELECT @mine := 1, SLEEP(30)',
      left: 'SELECT @mine',
      clean: null,
    },
    'a temporary table': {
      work: 'CREATE TEMPORARY TABLE mine AS SELECT SLEEP(30)',
      left: "SELECT COUNT(*) FROM information_schema.tables WHERE table_name = 'mine'",
      clean: 0,
    },
  };
  for (const [name, { work, left, clean }] of Object.entries(leavings))
    test(
      `leaves not even ${name} to the next one on the connection`,
      server.pooled(
        (pool) => {
          const id = value(pool, 'SELECT CONNECTION_ID()');
          givenUp(() => pool.query(work));
          assert.equal(value(pool, left), clean);
          assert.equal(value(pool, 'SELECT CONNECTION_ID()'), id, 'it was worth keeping');
        },
        { connectionLimit: 1 },
      ),
    );

  test(
    'and took effect before it could be stopped is undone, too: a lock that came, a database',
    server.pooled(
      (pool) => {
        const { database } = server.options();
        using observer = createConnection(server.options());
        for (let round = 0; round < 30; round++) {
          // Some of these end before their greenlet gives up, some after it, some by its KILL.
          withTimeout(round / 10, () => pool.query("SELECT GET_LOCK('mine', 0)"), { value: 0 });
          using lent = pool.getConnection();
          withTimeout(round / 10, () => lent.query('USE mysql'), { value: 0 });
          if (round % 3) lent.query('DO 1');
        }
        const lent = pool.getConnection();
        const fine = value(lent, 'SELECT DATABASE()') === database;
        // What was not given up is the user's own business, as with any client.
        if (!fine) lent.query(`USE ${database}`);
        givenUp(() => lent.query('SELECT SLEEP(30)'));
        lent.release();
        assert.equal(value(pool, 'SELECT DATABASE()'), database);
        until(() => value(observer, "SELECT IS_USED_LOCK('mine')") === null);
      },
      { connectionLimit: 1 },
    ),
  );

  test(
    'keeps its state for a greenlet that goes on with the connection, until it gives it back',
    server.pooled(
      (pool) => {
        const lent = pool.getConnection();
        lent.query('SET @mine = 1');
        givenUp(() => lent.query('SELECT SLEEP(30)'));
        assert.equal(value(lent, 'SELECT @mine'), 1);
        lent.release();
        assert.equal(value(pool, 'SELECT @mine'), null);
      },
      { connectionLimit: 1 },
    ),
  );

  test(
    'prepared statements work again after it',
    server.pooled(
      (pool) => {
        const twice = () => pool.execute('SELECT ? AS n', [1])[0];
        twice();
        givenUp(() => pool.execute('SELECT SLEEP(?)', [30]));
        assert.deepEqual(twice(), [{ n: 1 }]);
      },
      { connectionLimit: 1 },
    ),
  );
});

describe('onConnect', () => {
  test('is called for each connection, and again after it was set back', () =>
    run(() => {
      let calls = 0;
      using pool = createPool({
        ...server.options(),
        connectionLimit: 2,
        onConnect: (connection: Connection) => {
          calls++;
          connection.query("SET time_zone = '+02:00'");
        },
      });
      const both = () => {
        using one = pool.getConnection();
        using other = pool.getConnection();
        return [one, other].map((each) => value(each, 'SELECT @@time_zone'));
      };
      assert.deepEqual([both(), calls], [['+02:00', '+02:00'], 2]);
      givenUp(() => pool.query('SELECT SLEEP(30)'));
      until(() => calls === 3);
      assert.deepEqual([both(), calls], [['+02:00', '+02:00'], 3]);
    }) as Promise<void>);

  test('that throws fails who wanted the connection, and leaves none behind', () =>
    run(() => {
      let broken = true;
      using pool = createPool({
        ...server.options(),
        onConnect: () => {
          if (broken) throw new Error('not now');
        },
      });
      assert.throws(() => pool.query('SELECT 1'), /not now/);
      assert.equal(pool.statistics().size, 0);
      broken = false;
      assert.equal(value(pool, 'SELECT 1'), 1);
      assert.throws(() => createPool({ ...server.options(), onConnect: 1 as never }), {
        code: 'ERR_INVALID_ARG',
      });
    }) as Promise<void>);
});

test('a connection belongs to none of those who use it: no AsyncLocalStorage of theirs', () =>
  run(() => {
    const user = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    using pool = createPool({
      ...server.options(),
      connectionLimit: 1,
      onConnect: () => void seen.push(user.getStore()),
    });
    user.run('alice', () => {
      pool.query('SELECT 1');
      givenUp(() => pool.query('SELECT SLEEP(30)'));
      assert.equal(user.getStore(), 'alice');
    });
    pool.query('SELECT 1');
    assert.deepEqual(seen, [undefined, undefined]);
  }) as Promise<void>);

test('typeCast with the types of mysql2', () =>
  run(() => {
    const typeCast = (field: TypeCastField, next: () => unknown) =>
      field.type === 'LONG' ? `long ${field.string()}` : next();
    using connection = createConnection({ ...server.options(), typeCast });
    assert.equal(value(connection, 'SELECT CAST(7 AS SIGNED INT)'), 'long 7');
    assert.equal(Types.LONG, 3);
  }) as Promise<void>);
