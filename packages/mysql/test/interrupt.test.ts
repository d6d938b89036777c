import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openGate } from '@tendril/adapter-suite';
import { getCurrent, isExit, run, sleep, spawn, Timeout, withTimeout } from '@tendril/core';
import { type Connection, createConnection, createPool, type RowDataPacket } from '@tendril/mysql';
import { running, serverOfFile, until, untilRunning, value } from './helpers.js';

const server = serverOfFile();
/** Far from the 30 s of the statements, and of no other meaning. */
const atOnce = 15_000;

describe('interrupts', () => {
  for (const method of ['query', 'execute'] as const)
    test(
      `Timeout(200) ends ${method}('SELECT SLEEP(30)') here at once and on the server soon`,
      server.pooled((pool) => {
        const since = performance.now();
        const limit = Timeout.startNew(200);
        assert.throws(
          () => pool[method]('SELECT SLEEP(30)'),
          (error) => error === limit,
        );
        const took = performance.now() - since;
        assert.ok(took >= 199 && took < atOnce, `${took} ms`);
        until(() => running(pool, 'SELECT SLEEP(30)%') === 0);
        until(() => pool.statistics().lent === 0);
        assert.ok(pool.statistics().size <= 2);
      }),
    );

  test(
    'the same connection goes on after it, session variables and all',
    server.pooled(
      (pool) => {
        using connection = pool.getConnection();
        const { threadId } = connection;
        connection.query('SET @mine = 7');
        for (const sql of ['SELECT SLEEP(30)', 'SELECT SUM(seq % 7) FROM seq_1_to_1000000000'])
          assert.equal(
            withTimeout(50, () => connection.query(sql), { value: 'late' }),
            'late',
          );
        assert.equal(value(connection, 'SELECT @mine'), 7);
        assert.equal(connection.threadId, threadId);
      },
      { connectionLimit: 1 },
    ),
  );

  test(
    'a hundred interrupts at every moment never strike a later query',
    server.pooled(
      (pool) => {
        let interrupted = 0;
        for (let n = 0; n < 100; n++) {
          using connection = pool.getConnection();
          const late = withTimeout((n % 10) / 2, () => value(connection, 'SELECT SLEEP(0.002)'), {
            value: 'late',
          });
          if (late === 'late') interrupted++;
          assert.equal(value(connection, 'SELECT ?', [n]), n);
          assert.equal(Number(value(connection, 'SELECT SLEEP(0.001)')), 0, 'it was not woken');
        }
        assert.ok(interrupted > 20);
      },
      { connectionLimit: 1 },
    ),
  );

  test(
    'the interrupt of one greenlet leaves the queries of others on the same connection alone',
    server.connected((connection) => {
      const first = spawn(() => Number(value(connection, 'SELECT SLEEP(0.3) AS slept')));
      sleep(0);
      const second = spawn(() => value(connection, 'SELECT 2'));
      sleep(0);
      second.kill();
      assert.ok(isExit(second.value));
      const third = spawn(() => value(connection, 'SELECT 3'));
      assert.equal(first.get(), 0);
      assert.equal(third.get(), 3);
    }),
  );

  test('a connection that cannot be put in order is destroyed after the grace', async () => {
    const gate = await openGate(server.service);
    await run(() => {
      const { host, port } = gate;
      using pool = createPool({ ...server.options(), host, port, connectionLimit: 1 });
      pool.query('SELECT 1');
      gate.freeze();
      const since = performance.now();
      const work = () => pool.transaction((connection) => connection.query('SELECT SLEEP(30)'));
      assert.throws(() => withTimeout(100, work), { code: 'ERR_TIMEOUT' });
      assert.ok(performance.now() - since < atOnce);
      until(() => pool.statistics().size === 0);
      gate.thaw();
      gate.cut();
      assert.equal(value(pool, 'SELECT 1'), 1);
    });
    await gate.close();
  });

  test(
    'a full server is asked again when there is room',
    server.connected((connection) => {
      const before = value(connection, 'SELECT @@max_connections');
      connection.query('SET GLOBAL max_connections = 10');
      const others: Connection[] = [];
      const fill = () => {
        for (;;) others.push(createConnection(server.options()));
      };
      assert.throws(fill, { code: 'ER_CON_COUNT_ERROR' });
      const [watcher] = others as [Connection];
      const sql = "SHOW GLOBAL STATUS LIKE 'Connection_errors_max_connections'";
      const refused = () => Number(watcher.query<RowDataPacket[]>(sql)[0][0]?.Value);
      const refusedBefore = refused();
      assert.equal(
        withTimeout(50, () => connection.query('SELECT SLEEP(30)'), { value: 'late' }),
        'late',
      );
      until(() => refused() > refusedBefore);
      for (const each of others) each.end();
      connection.query('SET GLOBAL max_connections = ?', [before]);
    }),
  );

  test(
    "mysql2's option timeout gives mysql2's error, and stops the query",
    server.pooled((pool) => {
      assert.throws(() => pool.query({ sql: 'SELECT SLEEP(30)', timeout: 100 }), {
        code: 'PROTOCOL_SEQUENCE_TIMEOUT',
      });
      until(() => running(pool, 'SELECT SLEEP(30)%') === 0);
      const [rows] = pool.query<RowDataPacket[]>({ sql: 'SELECT 1 AS a', timeout: 60_000 });
      assert.equal(rows[0]?.a, 1);
    }),
  );

  test(
    'the side connection goes when it is not needed any more',
    server.pooled(
      (pool) => {
        using observer = createConnection(server.options());
        const sql = "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'tendril'";
        const sessions = () => Number(value(observer, sql));
        pool.query('SELECT 1');
        until(() => sessions() === 2);
        // Seen from a greenlet of its own: it is kept for a second only.
        const seen = spawn(() => until(() => sessions() === 3));
        withTimeout(50, () => pool.query('SELECT SLEEP(30)'), { value: 0 });
        seen.get();
        until(() => sessions() === 2);
      },
      { connectionLimit: 1 },
    ),
  );

  test(
    'a greenlet that is killed in a query may go on to use its connection in finally',
    server.connected((connection) => {
      let cleaned: unknown;
      const greenlet = spawn(() => {
        try {
          connection.query('SELECT SLEEP(30)');
        } finally {
          cleaned = value(connection, "SELECT 'cleaned'");
        }
      });
      untilRunning(server.options(), 'SELECT SLEEP(30)');
      greenlet.kill();
      assert.equal(cleaned, 'cleaned');
      assert.ok(getCurrent());
    }),
  );

  test(
    'destroy() of a connection ends what others run on it, here and on the server',
    server.pooled((pool) => {
      const connection = pool.getConnection();
      const victim = spawn(() => {
        try {
          return connection.query('SELECT SLEEP(30)');
        } catch (error) {
          return (error as { code?: string }).code;
        }
      });
      untilRunning(server.options(), 'SELECT SLEEP(30)');
      connection.destroy();
      assert.equal(victim.get(), 'ERR_CONNECTION_CLOSED');
      until(() => running(pool, 'SELECT SLEEP(30)%') === 0);
      assert.throws(() => connection.query('SELECT 1'), { code: 'ERR_CONNECTION_CLOSED' });
    }),
  );
});
