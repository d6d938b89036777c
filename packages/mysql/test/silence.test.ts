/** A network that goes silent while a command is under way, and what is not to be taken for it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openGate } from '@tendril/adapter-suite';
import { run, spawn } from '@tendril/core';
import { type Connection, createConnection, createPool } from '@tendril/mysql';
import { splitOptions } from '#src/options.js';
import { serverOfFile, until, value } from './helpers.js';
import { openRelay } from './relay.js';

const server = serverOfFile();
const quick = { keepAliveInitialDelayMillis: 100 };
const silent = { code: 'ERR_SERVER_SILENT' };
/** Far from the quarter of an hour that the kernel takes, and of no other meaning. */
const patience = { timeout: 60_000 };

const commands: [name: string, run: (connection: Connection) => unknown][] = [
  ['query', (connection) => connection.query('SELECT 1')],
  ['execute', (connection) => connection.execute('SELECT ?', [1])],
  ['stream', (connection) => [...connection.stream('SELECT 1')]],
  ['ping', (connection) => connection.ping()],
  ['transaction', (connection) => connection.transaction(() => connection.query('SELECT 1'))],
];

describe('a connection that died without a word is found, without any limit of its own:', () => {
  for (const [name, command] of commands)
    test(`${name}, forgotten on the way, with the server there`, async () => {
      const gate = await openGate(server.service);
      await run(() => {
        const { host, port } = gate;
        using connection = createConnection({ ...server.options(), ...quick, host, port });
        connection.query('SELECT 1');
        gate.silence();
        const waiting = spawn(() => command(connection));
        const next = spawn(() => connection.query('SELECT 1'));
        assert.throws(() => waiting.get(patience), silent);
        assert.throws(() => next.get(patience), { code: 'ERR_CONNECTION_CLOSED' });
      });
      await gate.close();
    });

  test('the server answers nobody', async () => {
    const gate = await openGate(server.service);
    await run(() => {
      const { host, port } = gate;
      const options = { ...server.options(), ...quick, host, port, connectTimeout: 500 };
      using connection = createConnection(options);
      gate.freeze();
      assert.throws(() => spawn(() => connection.query('SELECT 1')).get(patience), silent);
    });
    await gate.close();
  });

  test('many of a pool at once, which goes on with others', async () => {
    const gate = await openGate(server.service);
    await run(() => {
      const { host, port } = gate;
      using pool = createPool({ ...server.options(), ...quick, host, port, connectionLimit: 5 });
      const five = <T>(of: () => T) => Array.from({ length: 5 }, of);
      for (const connection of five(() => pool.getConnection())) connection.release();
      gate.silence();
      const waiting = five(() => spawn(() => pool.query('SELECT 1')));
      for (const each of waiting) assert.throws(() => each.get(patience), silent);
      assert.equal(value(pool, 'SELECT 1'), 1);
    });
    await gate.close();
  });
});

describe('is not taken for silent:', () => {
  /** A body with a relay, and a connection of somebody who has a lock. */
  const relayed =
    (body: (way: Awaited<ReturnType<typeof openRelay>>, holder: Connection) => void) =>
    async () => {
      const way = await openRelay(server.service);
      try {
        await run(() => {
          using holder = createConnection(server.options());
          holder.query("SELECT GET_LOCK('held', 60)");
          body(way, holder);
        });
      } finally {
        await way.close();
      }
    };
  const lock = "SELECT GET_LOCK('held', 60)";

  test(
    'a statement that takes long, however often the server is asked',
    relayed((way, holder) => {
      const { host, port } = way;
      // Its own options say nothing of how the server's answers are to be read.
      const options = { ...server.options(), ...quick, host, port, rowsAsArray: true };
      using connection = createConnection(options);
      const waiting = spawn(() => value(connection, lock));
      until(() => way.questions >= 5 || waiting.dead);
      holder.query("DO RELEASE_LOCK('held')");
      assert.equal(waiting.get(patience), 1);
    }),
  );

  test(
    'one of somebody else, whom the side connection cannot see',
    relayed((way, holder) => {
      holder.query("CREATE USER IF NOT EXISTS 'weak'@'%' IDENTIFIED BY 'weak'");
      const { user, password, database } = server.options();
      const { host, port } = way;
      const weak = { user: 'weak', password: 'weak', host, port };
      using connection = createConnection({ ...quick, ...weak });
      connection.changeUser({ user, password, database });
      const waiting = spawn(() => value(connection, lock));
      until(() => way.questions >= 3 || waiting.dead);
      holder.query("DO RELEASE_LOCK('held')");
      assert.equal(waiting.get(patience), 1);
    }),
  );

  test(
    'one that is not all sent yet',
    relayed((way, holder) => {
      const { host, port } = way;
      // More than what all kernels and streams on the way take.
      holder.query('SET GLOBAL max_allowed_packet = 128 * 1024 * 1024');
      using connection = createConnection({ ...server.options(), ...quick, host, port });
      connection.query('SELECT 1');
      way.hold();
      const waiting = spawn(() => value(connection, 'SELECT LENGTH(?)', ['x'.repeat(100e6)]));
      until(() => way.questions >= 3 || waiting.dead);
      connection.destroy();
      assert.throws(() => waiting.get(patience), { code: 'ERR_CONNECTION_CLOSED' });
    }),
  );

  test(
    'a result that waits for its reader',
    relayed((way, holder) => {
      const { host, port } = way;
      const options = { ...server.options(), ...quick, host, port };
      using connection = createConnection(options);
      using other = createConnection(options);
      const rows = connection.stream('SELECT seq FROM seq_1_to_20000');
      rows.next();
      const waiting = spawn(() => other.query(lock));
      until(() => way.questions >= 5 || waiting.dead);
      assert.equal([...rows].length, 19_999);
      holder.query("DO RELEASE_LOCK('held')");
      waiting.get(patience);
    }),
  );
});

test('keepAlive: false and a delay of 0 turn it off; what is no delay is refused', () => {
  const silence = (options: object) => splitOptions(options)[0].silence;
  assert.equal(silence({}), 30_000);
  assert.equal(silence({ keepAliveInitialDelayMillis: 5 }), 5);
  for (const off of [
    { keepAlive: false },
    { enableKeepAlive: false },
    { keepAliveInitialDelayMillis: 0 },
    { keepAliveInitialDelayMillis: Number.POSITIVE_INFINITY },
    { socketPath: '/run/mysqld/mysqld.sock' },
  ])
    assert.equal(silence(off), undefined);
  assert.equal(splitOptions({ keepAlive: false })[1].enableKeepAlive, false);
  assert.throws(() => silence({ keepAliveInitialDelayMillis: -1 }), {
    code: 'ERR_INVALID_ARG',
  });
});
