import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { run, spawn, wait, withTimeout } from '@tendril/core';
import { createConnection, createPool, type RowDataPacket } from '@tendril/mysql';
import { createConnection as createRaw } from 'mysql2';
import { running, serverOfFile, until, value } from './helpers.js';

const server = serverOfFile();
const inGreenlet = (body: () => void) => () => run(body) as Promise<void>;

/** The server's own certificate, as PEM. */
function certificate(): string {
  const raw = createRaw({ ...server.options(), ssl: { rejectUnauthorized: false } });
  wait(once(raw, 'connect'));
  const { stream } = raw as unknown as { stream: TLSSocket };
  const der = stream.getPeerCertificate().raw.toString('base64');
  raw.end();
  return `-----BEGIN CERTIFICATE-----\n${der}\n-----END CERTIFICATE-----\n`;
}

describe('connections', () => {
  test(
    'TLS: encrypted, verified, and interrupted as any other',
    inGreenlet(() => {
      const ssl = { ca: certificate() };
      using pool = createPool({ ...server.options(), ssl, connectionLimit: 1 });
      const [rows] = pool.query<RowDataPacket[]>("SHOW STATUS LIKE 'Ssl_cipher'");
      assert.match(rows[0]?.Value, /TLS|AES/);
      assert.equal(
        withTimeout(50, () => pool.query('SELECT SLEEP(30)'), { value: 0 }),
        0,
      );
      let count = 0;
      for (const _ of pool.stream('SELECT * FROM seq_1_to_100000')) count++;
      assert.equal(count, 100_000);
      using unverified = createPool({ ...server.options(), ssl: {} });
      assert.throws(() => unverified.query('SELECT 1'), { code: 'HANDSHAKE_SSL_ERROR' });
    }),
  );

  test(
    'a timeout at any moment of connecting leaves nothing behind',
    inGreenlet(() => {
      const ssl = { rejectUnauthorized: false };
      for (let n = 0; n < 20; n++) {
        const options = n % 2 ? server.options() : { ...server.options(), ssl };
        withTimeout(n / 3, () => createConnection(options).end(), { value: undefined });
      }
      using observer = createConnection(server.options());
      const sql = 'SELECT COUNT(*) FROM information_schema.processlist WHERE user <> ?';
      until(() => Number(value(observer, sql, ['system user'])) === 1);
    }),
  );

  test(
    'a server that does not answer is given up after connectTimeout',
    inGreenlet(() => {
      const silent = createServer(() => {}).listen(0, '127.0.0.1');
      wait(once(silent, 'listening'));
      const { port } = silent.address() as { port: number };
      const options = { ...server.options(), port, connectTimeout: 100 };
      assert.throws(() => createConnection(options), { code: 'ETIMEDOUT' });
      using pool = createPool({ ...options, connectTimeout: 10_000, acquireTimeout: 100 });
      assert.throws(() => pool.query('SELECT 1'), { code: 'ERR_ACQUIRE_TIMEOUT' });
      silent.close();
    }),
  );

  test(
    'a connection that the server has ended is an error, and then another one',
    server.pooled((pool) => {
      const id = value(pool, 'SELECT CONNECTION_ID()');
      {
        using connection = pool.getConnection();
        using other = createConnection(server.options());
        const busy = spawn(() => {
          try {
            return connection.query('SELECT SLEEP(30)');
          } catch (error) {
            return error;
          }
        });
        until(() => running(other, 'SELECT SLEEP(30)') === 1);
        other.query(`KILL ${connection.threadId}`);
        assert.ok(busy.get() instanceof Error);
        until(() => {
          try {
            connection.ping();
          } catch (error) {
            return (error as { code?: string }).code === 'ERR_CONNECTION_CLOSED';
          }
          return false;
        });
      }
      assert.notEqual(value(pool, 'SELECT CONNECTION_ID()'), id);
      using other = createConnection(server.options());
      other.query(`KILL ${value(pool, 'SELECT CONNECTION_ID()')}`);
      until(() => pool.statistics().size === 0);
      assert.equal(value(pool, 'SELECT 1'), 1);
    }),
  );

  test(
    'ping, reset and changeUser',
    server.connected((connection) => {
      connection.ping();
      connection.query('SET @mine = 7');
      connection.reset();
      assert.equal(value(connection, 'SELECT @mine'), null);
      connection.query("CREATE OR REPLACE USER 'guest'@'%' IDENTIFIED BY 'secret'");
      connection.changeUser({ user: 'guest', password: 'secret', database: 'information_schema' });
      assert.match(String(value(connection, 'SELECT CURRENT_USER()')), /^guest@/);
      assert.throws(() => connection.changeUser({ user: 'guest', password: 'wrong' }), {
        code: 'ER_ACCESS_DENIED_ERROR',
      });
      assert.throws(() => connection.ping(), { code: 'ERR_CONNECTION_CLOSED' });
    }),
  );

  test(
    'beginTransaction, commit and rollback',
    server.connected((connection) => {
      connection.query('CREATE TEMPORARY TABLE t (id INT) ENGINE=InnoDB');
      for (const [end, id] of [
        ['rollback', 1],
        ['commit', 2],
      ] as const) {
        connection.beginTransaction();
        connection.query('INSERT INTO t VALUES (?)', [id]);
        connection[end]();
      }
      assert.equal(value(connection, 'SELECT SUM(id) FROM t'), '2');
      connection.end();
      assert.throws(() => connection.query('SELECT 1'), { code: 'ERR_CONNECTION_CLOSED' });
    }),
  );

  test(
    'resetOnRelease gives everybody a session as new',
    server.pooled(
      (pool) => {
        pool.query('SET @mine = 7');
        assert.equal(value(pool, 'SELECT @mine'), null);
      },
      { connectionLimit: 1, resetOnRelease: true },
    ),
  );

  test(
    'who has changed the user of a connection is its last',
    server.pooled(
      (pool) => {
        const id = value(pool, 'SELECT CONNECTION_ID()');
        const connection = pool.getConnection();
        connection.changeUser({ database: 'information_schema' });
        pool.releaseConnection(connection);
        connection.release(); // once more is harmless
        assert.notEqual(value(pool, 'SELECT CONNECTION_ID()'), id);
        assert.equal(value(pool, 'SELECT DATABASE()'), 'tendril');
      },
      { connectionLimit: 1 },
    ),
  );

  test(
    'limits of the pool: connectionLimit, queueLimit, waitForConnections, maxIdle, idleTimeout',
    inGreenlet(() => {
      const more = { connectionLimit: 2, queueLimit: 1, maxIdle: 1, idleTimeout: 100 };
      using pool = createPool({ ...server.options(), ...more });
      const all = [1, 2, 3, 4].map(() =>
        spawn(() => {
          try {
            return value(pool, 'SELECT SLEEP(0.1)');
          } catch (error) {
            return (error as { code?: string }).code;
          }
        }),
      );
      assert.equal(all[3]?.get(), 'ERR_ACQUIRE_TIMEOUT');
      assert.equal(pool.statistics().size, 2);
      for (const each of all) each.get();
      assert.equal(pool.statistics().idle, 1);
      until(() => pool.statistics().size === 0);
      using none = createPool({
        ...server.options(),
        connectionLimit: 1,
        waitForConnections: false,
      });
      using _held = none.getConnection();
      assert.throws(() => none.query('SELECT 1'), { code: 'ERR_ACQUIRE_TIMEOUT' });
    }),
  );

  test(
    'options that make no sense are told at once; a URI is taken apart',
    inGreenlet(() => {
      const bad = [
        { connectionLimit: -1 },
        { connectionLimit: 1.5 },
        { queueLimit: Number.NaN },
        { maxIdle: -1 },
        { acquireTimeout: -1 },
        { idleTimeout: '1' as never },
        { port: 70_000 },
        { connectTimeout: -5 },
        { uri: 'no uri' },
      ];
      for (const options of [...bad, undefined as never, 5 as never])
        assert.throws(() => createPool(options), { code: 'ERR_INVALID_ARG' });
      const { host, port, user, password, database } = server.options();
      const uri = `mysql://${user}:${password}@${host}:${port}/${database}`;
      using pool = createPool(`${uri}?connectionLimit=1&rowsAsArray=true`);
      assert.deepEqual(pool.query('SELECT DATABASE()')[0], [[database]]);
      using connection = createConnection({ uri, rowsAsArray: true });
      assert.deepEqual(connection.query('SELECT 1')[0], [[1]]);
    }),
  );
});
