/** Connections that several greenlets use and give up, and what the server says of them afterwards. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Greenlet, joinall, run, sleep, spawn, withTimeout } from '@tendril/core';
import { createConnection, createPool, type PoolConnection } from '@tendril/mysql';
import { serverOfFile, until, value } from './helpers.js';

const server = serverOfFile();
const rounds = process.env.TENDRIL_TEST_LONG ? 500 : 100;

test(`${rounds} rounds of transactions, locks and settings under random limits leave nothing behind`, () =>
  run(() => {
    using observer = createConnection(server.options());
    observer.query('CREATE TABLE pairs (pair INT, who INT) ENGINE=InnoDB');
    using pool = createPool({ ...server.options(), connectionLimit: 4 });
    const transaction = (connection: PoolConnection, pair: number) =>
      connection.transaction(() => {
        for (const who of [1, 2]) {
          connection.query('INSERT INTO pairs VALUES (?, ?)', [pair, who]);
          connection.query('DO SLEEP(0.002)');
        }
        if (pair % 3 === 0) throw new Error('rolls back');
      });
    const kinds: ((pair: number) => unknown)[] = [
      // Two greenlets, each with a transaction, on one connection.
      (pair) => {
        using connection = pool.getConnection();
        const both = [2 * pair, 2 * pair + 1].map((each) =>
          spawn(() => attempt(() => transaction(connection, each))),
        );
        joinall(both);
      },
      // These never end by themselves: whatever they did is abandoned.
      (pair) => pool.query('SELECT GET_LOCK(?, 1), SLEEP(30)', [`storm${pair % 5}`]),
      () => pool.query('SELECT @storm := 1, SLEEP(30)'),
      () => pool.query("SET SESSION sql_mode = '', @rest = (SELECT SLEEP(30))"),
    ];
    let interrupted = 0;
    const attempt = (fn: () => unknown) => {
      const late = {};
      try {
        if (withTimeout(1 + Math.random() * 25, fn, { value: late }) === late) interrupted++;
      } catch {
        // A transaction that rolls back, or a connection that was given back meanwhile.
      }
    };
    const all: Greenlet<void>[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const kind of kinds) all.push(spawn(() => attempt(() => kind(round))));
      sleep(2 + Math.random() * 10);
    }
    joinall(all);
    until(() => pool.statistics().lent === 0);
    const idle = Array.from({ length: 4 }, () => pool.getConnection());
    assert.equal(Number(value(observer, 'SELECT COUNT(*) FROM information_schema.innodb_trx')), 0);
    for (let n = 0; n < 5; n++)
      assert.equal(value(observer, 'SELECT IS_USED_LOCK(?)', [`storm${n}`]), null);
    for (const each of idle) {
      assert.equal(value(each, 'SELECT @storm'), null);
      assert.notEqual(value(each, 'SELECT @@sql_mode'), '');
    }
    const halves =
      'SELECT COUNT(*) FROM (SELECT pair FROM pairs GROUP BY pair HAVING COUNT(*) <> 2) AS halves';
    assert.equal(Number(value(observer, halves)), 0, 'no transaction is there by half');
    assert.equal(
      Number(value(observer, 'SELECT COUNT(*) FROM pairs WHERE pair % 3 = 0')),
      0,
      'none that rolled back is there',
    );
    assert.ok(interrupted > rounds / 10, `${interrupted} were interrupted`);
    for (const each of idle) each.release();
  }) as Promise<void>);
