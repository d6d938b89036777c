// One connection, several greenlets, and the transactions of each.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { Event, joinall, run, spawn, withTimeout } from '@tendril/core';
import { type Connection, createConnection } from '@tendril/mysql';
import { serverOfFile, value } from './helpers.js';

const server = serverOfFile();
const add = (connection: Connection, who: string) =>
  connection.query('INSERT INTO orders VALUES (?)', [who]);
const all = (connection: Connection) =>
  value(connection, "SELECT COALESCE(GROUP_CONCAT(who ORDER BY who), '') FROM orders");

describe('greenlets that share a connection', () => {
  beforeEach(() =>
    run(() => {
      using connection = createConnection(server.options());
      connection.query('CREATE OR REPLACE TABLE orders (who VARCHAR(9)) ENGINE=InnoDB');
    }),
  );

  for (const when of ['at the same time', 'while the first has one'] as const)
    for (const byHand of [false, true])
      test(
        `each have a transaction of their own, begun ${when}${byHand ? ' by hand' : ''}`,
        server.connected((connection) => {
          const inside = new Event();
          const goOn = new Event();
          const fails = spawn(() => {
            const work = () => {
              add(connection, 'a');
              inside.set();
              goOn.wait();
            };
            if (byHand) {
              connection.beginTransaction();
              work();
              connection.rollback();
            } else
              assert.throws(
                () =>
                  connection.transaction(() => {
                    work();
                    throw new Error('a fails');
                  }),
                /a fails/,
              );
          });
          if (when !== 'at the same time') inside.wait();
          const commits = spawn(() => connection.transaction(() => void add(connection, 'b')));
          const bare = spawn(() => void add(connection, 'c'));
          // What wants to begin waits by now, and nothing of it has reached the server.
          inside.wait();
          goOn.set();
          joinall([fails, commits, bare], { raiseError: true });
          assert.equal(all(connection), 'b,c');
        }),
      );

  test(
    'nest in their own; one that nests in another greenlet’s gets an error, and its statements take part',
    server.connected((connection) => {
      connection.transaction(() => {
        add(connection, 'a');
        const child = spawn(() => {
          add(connection, 'child');
          connection.transaction(() => {});
        });
        assert.throws(() => child.get(), { code: 'ERR_CONCURRENT_USE' });
        connection.transaction(() => add(connection, 'nested'));
      });
      assert.equal(all(connection), 'a,child,nested');
    }),
  );

  test(
    'lose nothing when one of them is timed out in its transaction',
    server.connected((connection) => {
      const times = [5, 20, 50, undefined];
      const transactions = times.map((ms) =>
        spawn(() =>
          withTimeout(
            ms,
            () =>
              connection.transaction(() => {
                add(connection, `t${ms ?? '-'}`);
                connection.query('SELECT SLEEP(0.03)');
              }),
            { value: undefined },
          ),
        ),
      );
      const bare = ['x', 'y'].map((who) => spawn(() => void add(connection, who)));
      joinall([...transactions, ...bare], { raiseError: true });
      connection.transaction(() => add(connection, 'last'));
      using observer = createConnection(server.options());
      const who = String(all(observer)).split(',');
      assert.deepEqual(
        ['last', 't-', 'x', 'y'].filter((name) => !who.includes(name)),
        [],
      );
      assert.ok(!who.includes('t5') && !who.includes('t20'), who.join());
    }),
  );

  test(
    'begin anew where one has ended and left a transaction open',
    server.connected((connection) => {
      spawn(() => {
        connection.beginTransaction();
        add(connection, 'dead');
      }).get();
      connection.transaction(() => add(connection, 'alive'));
      using observer = createConnection(server.options());
      assert.equal(all(observer), 'alive');
    }),
  );
});

test('a turn is waited for so long at most', () =>
  run(() => {
    using connection = createConnection({ ...server.options(), acquireTimeout: 50 });
    const begin = new Event();
    const older = spawn(() => {
      begin.wait();
      connection.query('SELECT 1');
    });
    connection.transaction(() => {
      begin.set();
      // It was not made in the transaction, and so it has to wait for its end.
      assert.throws(() => older.get(), { code: 'ERR_ACQUIRE_TIMEOUT' });
    });
    assert.equal(value(connection, 'SELECT 1'), 1);
  }) as Promise<void>);
