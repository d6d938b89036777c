import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Timeout, withTimeout } from '@tendril/core';
import { Client } from '@tendril/pg';
import { login, server, until, useServer, withClient, withPool } from './helpers.js';

const backend = 'SELECT pg_backend_pid() AS pid';

describe('pool', () => {
  useServer();

  test(
    'lends with `using`, counts, and closes what is released with an error',
    withPool((pool) => {
      let pid: unknown;
      {
        using client = pool.connect();
        pid = client.query(backend).rows[0].pid;
        assert.deepEqual([pool.totalCount, pool.idleCount, pool.waitingCount], [1, 0, 0]);
      }
      assert.equal(pool.idleCount, 1);
      const client = pool.connect();
      assert.equal(client.query(backend).rows[0].pid, pid);
      client.release(new Error('bad'));
      assert.deepEqual([pool.totalCount, pool.idleCount], [0, 0]);
      assert.notEqual(pool.query(backend).rows[0].pid, pid);
    }),
  );

  test(
    'replaces connections after maxUses, and prepares new ones by onConnect',
    withPool(
      (pool) => {
        const pids = Array.from({ length: 6 }, () => pool.query(backend).rows[0].pid);
        assert.equal(new Set(pids).size, 3);
        assert.equal(pool.query('SHOW search_path').rows[0].search_path, 'pg_catalog');
      },
      { maxUses: 2, onConnect: (client) => void client.query('SET search_path TO pg_catalog') },
    ),
  );

  test(
    'closes what is too old',
    withPool(
      (pool) => {
        const since = performance.now();
        const { pid } = pool.query(backend).rows[0];
        until(() => pool.query(backend).rows[0].pid !== pid);
        assert.ok(performance.now() - since >= 100, 'not younger than that');
      },
      { maxLifetimeSeconds: 0.1 },
    ),
  );

  test(
    'closes what is idle for too long',
    withPool(
      (pool) => {
        const since = performance.now();
        pool.query(backend);
        until(() => pool.totalCount === 0);
        assert.ok(performance.now() - since >= 150, 'not sooner');
      },
      { idleTimeoutMillis: 150 },
    ),
  );

  test(
    'who has less time than a connection takes leaves it to the next',
    withPool((pool) => {
      assert.throws(() => withTimeout(0, () => pool.query('SELECT 1')), Timeout);
      assert.equal(pool.totalCount, 1);
      const { pid } = pool.query(backend).rows[0];
      assert.equal(pool.query(backend).rows[0].pid, pid);
      assert.equal(pool.totalCount, 1);
    }),
  );

  test(
    'an idle connection that the server ends is no error, and not lent again',
    withPool((pool) => {
      const { pid } = pool.query(backend).rows[0];
      using client = pool.connect();
      using second = pool.connect();
      client.release();
      second.query('SELECT pg_terminate_backend($1)', [pid]);
      until(() => pool.totalCount === 1);
      assert.equal(pool.query('SELECT 1 AS n').rows[0].n, 1);
    }),
  );
});

describe('TLS', () => {
  useServer();
  const trusted = () => ({ ca: readFileSync(server().info.ca as string) });
  const inUse = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()';

  test('with the ca the server is verified, and cancel requests go over TLS, too', () =>
    withClient(
      (client) => {
        assert.equal(client.query(inUse).rows[0].ssl, true);
        const { processID } = client;
        assert.throws(() => withTimeout(50, () => client.query('SELECT pg_sleep(30)')), Timeout);
        assert.equal(client.query(backend).rows[0].pid, processID);
      },
      { host: 'localhost', ssl: trusted() },
    )());

  test('without it, and for another name, there is no connection', async () => {
    const refused = (options: object, code: string) =>
      withClient(() => {
        assert.throws(() => new Client({ ...login(), ...options }).connect(), { code });
      })();
    await refused({ host: 'localhost', ssl: true }, 'DEPTH_ZERO_SELF_SIGNED_CERT');
    await refused({ host: '127.0.0.2', ssl: trusted() }, 'ECONNREFUSED');
    const other = { ...trusted(), checkServerIdentity: () => new RangeError('another server') };
    await assert.rejects(withClient(() => {}, { host: 'localhost', ssl: other })(), RangeError);
  });
});
