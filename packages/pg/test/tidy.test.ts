// What a connection is like when it is lent again, and one that is dead.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openGate } from '@tendril/adapter-suite';
import { Event, run, spawn, Timeout, withTimeout } from '@tendril/core';
import { Client, type Pool, type PoolClient } from '@tendril/pg';
import { login, server, until, useServer, withPool } from './helpers.js';

const locks = `SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory'`;

describe('what an abandoned statement has done', () => {
  useServer();

  // Each is abandoned after it has taken effect: cancelled all the same, or too late.
  const effects: [what: string, sql: string, left: string][] = [
    ['a lock', 'SELECT pg_advisory_lock(7), pg_sleep(30)', locks],
    [
      'a setting',
      `SET work_mem TO '77kB'; COMMIT; SELECT pg_sleep(30)`,
      `SELECT count(*)::int AS n FROM pg_settings WHERE name = 'work_mem' AND setting = '77'`,
    ],
    [
      'a temporary table',
      'CREATE TEMP TABLE left_behind (); COMMIT; SELECT pg_sleep(30)',
      `SELECT count(*)::int AS n FROM pg_class WHERE relname = 'left_behind'`,
    ],
    [
      'a prepared statement',
      'PREPARE left_behind AS SELECT 1; SELECT pg_sleep(30)',
      'SELECT count(*)::int AS n FROM pg_prepared_statements',
    ],
  ];
  for (const [what, sql, left] of effects)
    for (const [how, use] of [
      ['a query of the pool', (pool: Pool) => void pool.query(sql)],
      [
        'a client that is given back',
        (pool: Pool) => {
          using client = pool.connect();
          client.query(sql);
        },
      ],
    ] as const)
      test(
        `is not there for who comes next: ${what}, by ${how}`,
        withPool(
          (pool) => {
            const { pid } = pool.query('SELECT pg_backend_pid() AS pid').rows[0];
            const abandoned = spawn(use, pool);
            const observer = new Client(login()).connect();
            until(
              () =>
                observer.query(
                  `SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'`,
                  [pid],
                ).rowCount === 1,
            );
            observer.end();
            abandoned.kill();
            assert.equal(pool.query(left).rows[0].n, 0);
            assert.equal(pool.query('SELECT pg_backend_pid() AS pid').rows[0].pid, pid);
          },
          { max: 1 },
        ),
      );

  test(
    'a lock that came just when its greenlet gave up is not held by an idle connection',
    withPool(
      (pool) => {
        const holder = pool.connect();
        holder.query('SELECT pg_advisory_lock(7)');
        const asker = pool.connect();
        assert.throws(
          () => withTimeout(50, () => asker.query('SELECT pg_advisory_lock(7)')),
          Timeout,
        );
        holder.query('SELECT pg_advisory_unlock(7)');
        holder.release();
        asker.release();
        until(() => pool.idleCount === pool.totalCount);
        assert.equal(pool.query(locks).rows[0].n, 0);
      },
      { max: 2 },
    ),
  );

  test(
    'is undone with all else; named statements and onConnect are there again',
    withPool(
      (pool) => {
        const named = () =>
          pool.query({
            name: 'n',
            text: 'SELECT $1::int AS n, pg_backend_pid() AS pid',
            values: [1],
          }).rows[0].pid;
        const pid = named();
        assert.throws(() => withTimeout(20, () => pool.query('SELECT pg_sleep(30)')), Timeout);
        assert.equal(named(), pid);
        assert.equal(pool.query('SHOW search_path').rows[0].search_path, 'pg_catalog');
      },
      { max: 1, onConnect: (client) => void client.query('SET search_path TO pg_catalog') },
    ),
  );

  test(
    'costs those nothing whose statements were answered: nothing is sent when they give a client back',
    withPool(
      (pool) => {
        using observer = new Client(login()).connect();
        const client = pool.connect();
        const pid = client.processID;
        client.transaction(() => client.query('SELECT 1'));
        assert.throws(() => client.query('SELECT 1/0'));
        client.release();
        assert.equal(pool.idleCount, 1, 'at once');
        const [{ query }] = observer.query('SELECT query FROM pg_stat_activity WHERE pid = $1', [
          pid,
        ]).rows;
        assert.equal(query, 'SELECT 1/0');
      },
      { max: 1 },
    ),
  );
});

describe('limits of waiting', () => {
  useServer();

  /** The limit is one for a machine that has nothing else to do. */
  const connectAtLast = (pool: Pool): PoolClient => {
    let client: PoolClient | undefined;
    until(() => {
      try {
        client = pool.connect();
        return true;
      } catch (error) {
        assert.match((error as Error).message, /within/);
        return false;
      }
    });
    return client as PoolClient;
  };

  const late = (options: object, code: string, work: (pool: Pool) => void) =>
    withPool(
      (pool) => {
        const held = connectAtLast(pool);
        assert.throws(() => work(pool), { code });
        held.release();
        assert.equal(pool.query('SELECT 1 AS n').rows[0].n, 1);
      },
      { max: 1, ...options },
    )();

  test('connectionTimeoutMillis bounds the wait for a client of a pool that has none left', async () => {
    const query = (pool: Pool) => void pool.query('SELECT 1');
    await late({ connectionTimeoutMillis: 300 }, 'ERR_ACQUIRE_TIMEOUT', query);
    await late(
      { connectionTimeoutMillis: 300, acquireTimeout: 60_000 },
      'ERR_ACQUIRE_TIMEOUT',
      query,
    );
    await late({ connectionTimeoutMillis: 0, acquireTimeout: 100 }, 'ERR_ACQUIRE_TIMEOUT', query);
    await late(
      { connectionTimeoutMillis: 60_000, acquireTimeout: 100 },
      'ERR_ACQUIRE_TIMEOUT',
      query,
    );
  });

  test('and that for a server that does not let us in, with an error that says so', async () => {
    const gate = await openGate(server());
    gate.freeze();
    await withPool(
      (pool) => {
        assert.throws(() => pool.query('SELECT 1'), { code: 'ERR_CONNECT_TIMEOUT' });
        gate.thaw();
      },
      { host: gate.host, port: gate.port, connectionTimeoutMillis: 200 },
    )();
    await gate.close();
  });
});

describe('a connection that died without a word', () => {
  useServer();
  const quick = { keepAliveInitialDelayMillis: 100, connectionTimeoutMillis: 10_000 };

  for (const [how, die] of [
    ['was forgotten on the way, and the server is there', 'silence'],
    ['leads to a server that answers nobody', 'freeze'],
  ] as const)
    test(`is found while a query is under way, without any limit of its own: it ${how}`, async () => {
      const gate = await openGate(server());
      await run(() => {
        const { host, port } = gate;
        const connectionTimeoutMillis = die === 'freeze' ? 500 : 10_000;
        const options = { ...login(), ...quick, host, port, connectionTimeoutMillis };
        const client = connectedAtLast(() => new Client(options));
        client.query('SELECT 1');
        gate[die]();
        const waiting = spawn(() => client.query('SELECT 1'));
        assert.throws(() => waiting.get({ timeout: 30_000 }), { code: 'ERR_SERVER_SILENT' });
        assert.throws(() => client.query('SELECT 1'), { code: 'ERR_CONNECTION_LOST' });
        client.end();
      });
      await gate.close();
    });

  /** The limit is one for a machine that has nothing else to do. */
  function connectedAtLast(make: () => Client): Client {
    let client = make();
    until(() => {
      try {
        client.connect();
        return true;
      } catch (error) {
        assert.equal((error as Error & { code: string }).code, 'ERR_CONNECT_TIMEOUT');
        client = make();
        return false;
      }
    });
    return client;
  }

  test('is not taken for one that works for long, or waits for its reader', async () => {
    const gate = await openGate(server());
    await run(() => {
      using client = new Client({ ...login(), ...quick }).connect();
      assert.equal(client.query('SELECT 1 AS n FROM pg_sleep(1)').rows[0].n, 1);
      const rows = client.cursor('SELECT n FROM generate_series(1, 100) AS n', [], {
        batchSize: 10,
      });
      rows.next();
      // In the time in which one that has died is found out.
      const { host, port } = gate;
      const control = new Client({ ...login(), ...quick, host, port }).connect();
      control.query('SELECT 1');
      gate.silence();
      assert.throws(() => control.query('SELECT 1'), { code: 'ERR_SERVER_SILENT' });
      control.end();
      assert.equal([...rows].length, 99);
      const observer = new Client(login()).connect();
      until(() => observer.query(`SELECT 1 FROM pg_stat_activity`).rows.length > 0);
      observer.end();
    });
    await gate.close();
  });

  test('and is used by nobody again: an interrupted query costs the pool that connection only', async () => {
    const gate = await openGate(server());
    await withPool(
      (pool) => {
        pool.query('SELECT 1');
        gate.silence();
        assert.throws(() => withTimeout(100, () => pool.query('SELECT 1')), Timeout);
        assert.equal(pool.query('SELECT 1 AS n').rows[0].n, 1);
        assert.equal(pool.totalCount, 1);
      },
      { host: gate.host, port: gate.port, max: 1 },
    )();
    await gate.close();
  });
});

describe('surfaces', () => {
  useServer();

  test('pool.on() says what there is in its place; onError hears of connections that nobody uses', () => {
    const heard = new Event();
    const errors: Error[] = [];
    return withPool(
      (pool) => {
        assert.throws(() => pool.on('error'), { code: 'ERR_UNSUPPORTED', message: /onError/ });
        assert.throws(() => pool.on('connect'), /onConnect/);
        const { pid } = pool.query('SELECT pg_backend_pid() AS pid').rows[0];
        const observer = new Client(login()).connect();
        observer.query('SELECT pg_terminate_backend($1)', [pid]);
        observer.end();
        heard.wait();
        assert.equal(pool.totalCount, 0);
        assert.equal((errors[0] as Error & { code: string }).code, '57P01');
        assert.equal(pool.query('SELECT 1 AS n').rows[0].n, 1);
        pool.end();
        assert.equal(errors.length, 1, 'an end is no error');
      },
      {
        onError: (error) => {
          errors.push(error);
          heard.set();
        },
      },
    )();
  });

  test(
    'a named statement is prepared again after ALTER TABLE or DISCARD, but not within a transaction',
    withPool(
      (pool) => {
        using client = pool.connect();
        client.query('CREATE TEMP TABLE changing (a int)');
        client.query('INSERT INTO changing VALUES (1)');
        const named = { name: 'named', text: 'SELECT * FROM changing' };
        const read = () => client.query(named).rows;
        assert.deepEqual(read(), [{ a: 1 }]);
        client.query('ALTER TABLE changing ADD b int');
        assert.deepEqual(read(), [{ a: 1, b: null }]);
        assert.deepEqual(read(), [{ a: 1, b: null }]);
        client.query('DEALLOCATE ALL');
        assert.deepEqual(read(), [{ a: 1, b: null }]);
        client.query('ALTER TABLE changing ADD c int');
        assert.throws(() => client.transaction(read), { code: '0A000' });
        const both = [spawn(read), spawn(read)];
        for (const each of both) assert.deepEqual(each.get(), [{ a: 1, b: null, c: null }]);
      },
      { max: 1 },
    ),
  );
});
