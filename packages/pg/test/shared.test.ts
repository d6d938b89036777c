// One client that several greenlets use: whose transaction is it?
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Event, joinall, sleep, spawn, Timeout, withTimeout } from '@tendril/core';
import { Client } from '@tendril/pg';
import { login, until, useServer, withClient, withPool } from './helpers.js';

/** Makes a temporary table of names. Returns what is in it. */
function names(client: Client): () => string {
  client.query('CREATE TEMP TABLE names (id serial, name text)');
  return () =>
    client
      .query('SELECT name FROM names ORDER BY id')
      .rows.map(({ name }) => name)
      .join(' ');
}

const insert = 'INSERT INTO names (name) VALUES ($1)';

describe('a client that greenlets share', () => {
  useServer();

  for (const later of ['before BEGIN is answered', 'in the midst of the first'])
    test(
      `keeps their transactions apart: the second comes ${later}`,
      withClient((client) => {
        const content = names(client);
        const [begun, asked] = [new Event(), new Event()];
        const fails = spawn(() =>
          client.transaction(() => {
            begun.set();
            client.query(insert, ['a']);
            asked.wait();
            client.query('SELECT 1'); // whatever the others have sent comes before
            throw new Error('a fails');
          }),
        );
        const commits = spawn(() => {
          if (later.startsWith('in')) begun.wait();
          asked.set();
          return client.transaction(() => {
            client.query(insert, ['b']);
            return client.getTransactionStatus();
          });
        });
        const bare = spawn(() => {
          begun.wait();
          return client.query('SELECT count(*)::int AS n FROM names').rows[0].n;
        });
        assert.throws(() => fails.get(), /a fails/);
        assert.deepEqual([commits.get(), content()], ['T', 'b']);
        assert.ok(bare.get() < 2, 'nothing of a transaction that is open is seen');
      }),
    );

  test(
    'and that nest each in their own',
    withClient((client) => {
      const content = names(client);
      const nest = (name: string) =>
        client.transaction(() => {
          client.query(insert, [`${name}1`]);
          assert.throws(() =>
            client.transaction(() => {
              client.query(insert, [`${name}2`]);
              client.query('SELECT 1');
              throw new Error(name);
            }),
          );
          client.transaction(() => client.query(insert, [`${name}3`]));
        });
      joinall([spawn(nest, 'a'), spawn(nest, 'b')], { raiseError: true });
      assert.equal(content(), 'a1 a3 b1 b3');
    }),
  );

  test(
    'leaves a BEGIN by hand to its greenlet, until it ends it, or ends',
    withClient((client) => {
      const content = names(client);
      const begun = new Event();
      const byHand = spawn(() => {
        client.query('BEGIN');
        begun.set();
        client.query(insert, ['a']);
        client.query('SELECT 1'); // whatever the other has sent comes before
        client.query('ROLLBACK');
      });
      begun.wait();
      client.transaction(() => client.query(insert, ['b']));
      byHand.get();
      assert.equal(content(), 'b');
      // As before each test of a suite, and after it.
      spawn(() => client.query('BEGIN')).get();
      client.query(insert, ['c']);
      client.transaction(() => client.query(insert, ['d']));
      assert.equal(content(), 'b c d');
      spawn(() => client.query('ROLLBACK')).get();
      assert.equal(content(), 'b');
    }),
  );

  test(
    'lets the greenlets take part that a transaction spawns, but not nest in it',
    withClient((client) => {
      const content = names(client);
      assert.throws(
        () =>
          client.transaction(() => {
            joinall(
              ['a', 'b'].map((name) => spawn(() => client.query(insert, [name]))),
              { raiseError: true },
            );
            assert.equal(content(), 'a b');
            spawn(() => client.transaction(() => {})).get();
          }),
        { code: 'ERR_CONCURRENT_USE' },
      );
      assert.equal(content(), '');
    }),
  );

  test(
    'is waited for no longer than acquireTimeout, even by one whom the owner waits for',
    withClient(
      (client) => {
        const begun = new Event();
        const older = spawn(() => {
          begun.wait();
          return client.query('SELECT 1');
        });
        client.transaction(() => {
          begun.set();
          assert.throws(() => older.get(), { code: 'ERR_ACQUIRE_TIMEOUT' });
          assert.equal(client.query('SELECT 1 AS n').rows[0].n, 1);
        });
      },
      { acquireTimeout: 100 },
    ),
  );

  test(
    'goes on after an owner that was interrupted, by whatever error',
    withClient((client) => {
      const content = names(client);
      using observer = new Client(login()).connect();
      const asleep = `SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'`;
      class Mine extends Error {}
      const ends: ((work: () => void) => void)[] = [
        (work) => withTimeout(30, work),
        (work) => {
          const greenlet = spawn(work);
          until(() => observer.query(asleep, [client.processID]).rowCount === 1);
          greenlet.kill({ error: new Mine() });
          greenlet.get();
        },
      ];
      for (const end of ends) {
        assert.throws(
          () =>
            end(() =>
              client.transaction(() => {
                client.query(insert, ['lost']);
                client.query('SELECT pg_sleep(30)');
              }),
            ),
          (error) => error instanceof Timeout || error instanceof Mine,
        );
        client.transaction(() => client.query(insert, ['kept']));
      }
      assert.equal(content(), 'kept kept');
    }),
  );

  test(
    'fails those who wait, at once, when the connection is lost',
    withClient((client) => {
      const begun = new Event();
      const owner = spawn(() =>
        client.transaction(() => {
          begun.set();
          client.query('SELECT pg_sleep(30)');
        }),
      );
      begun.wait();
      const waiting = spawn(() => client.query('SELECT 1'));
      sleep(0);
      client.end();
      assert.throws(() => owner.get());
      assert.throws(() => waiting.get({ timeout: 20_000 }), { code: 'ERR_CLIENT_CLOSED' });
    }),
  );

  test(
    'of a pool is not given back within its transaction, nor while somebody waits for it',
    withPool(
      (pool) => {
        const client = pool.connect();
        client.transaction(() => {
          assert.throws(() => client.release(), { code: 'ERR_RELEASE' });
        });
        const { processID } = client;
        client.query('BEGIN');
        client.release();
        const next = pool.connect();
        assert.deepEqual([next.processID, next.getTransactionStatus()], [processID, 'I']);
        const slow = spawn(() => next.query('SELECT pg_sleep(30)'));
        const waiting = spawn(() => next.query(`SET application_name TO 'too late'`));
        sleep(0);
        next.release();
        for (const each of [slow, waiting])
          assert.throws(() => each.get(), { code: 'ERR_CLIENT_CLOSED' });
        using other = pool.connect();
        assert.notEqual(other.processID, processID);
      },
      { max: 1 },
    ),
  );
});
