import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ResultSetHeader, RowDataPacket } from '@tendril/mysql';
import { serverOfFile, value } from './helpers.js';

const server = serverOfFile();

/** A type of SQL, a literal, and what comes out of query() and execute(). */
const table: [string, string, unknown][] = [
  ['TINYINT', '-128', -128],
  ['INT UNSIGNED', '4294967295', 4_294_967_295],
  ['BIGINT', '9007199254740991', Number.MAX_SAFE_INTEGER],
  ['DECIMAL(20,4)', '12345678901234.5678', '12345678901234.5678'],
  ['DOUBLE', '0.1', 0.1],
  ['VARCHAR(20)', "'grüße 🌱'", 'grüße 🌱'],
  ['TEXT', "'text'", 'text'],
  ['BLOB', "x'00ff10'", Buffer.from([0, 255, 16])],
  ['DATE', "'2024-02-29'", new Date(2024, 1, 29)],
  ['DATETIME(3)', "'2024-02-29 12:34:56.789'", new Date(2024, 1, 29, 12, 34, 56, 789)],
  ['TIME', "'-12:34:56'", '-12:34:56'],
  ['YEAR', '2024', 2024],
  ["ENUM('a','b')", "'b'", 'b'],
  ['INT', 'NULL', null],
];

describe('results', () => {
  for (const [type, literal, expected] of table)
    test(
      `${type} comes as mysql2 gives it`,
      server.connected((connection) => {
        connection.query(`CREATE TEMPORARY TABLE one (v ${type}) CHARSET utf8mb4`);
        connection.query(`INSERT INTO one VALUES (${literal})`);
        for (const method of ['query', 'execute'] as const) {
          const [rows] = connection[method]<RowDataPacket[]>('SELECT v FROM one');
          assert.deepEqual(rows[0]?.v, expected, method);
        }
      }),
    );

  test(
    'rows come with their fields, other results with their counts',
    server.connected((connection) => {
      const [rows, fields] = connection.query<RowDataPacket[]>('SELECT 1 AS one, ? AS two', ['2']);
      assert.deepEqual(
        rows.map((row) => ({ ...row })),
        [{ one: 1, two: '2' }],
      );
      assert.deepEqual(
        fields.map(({ name }) => name),
        ['one', 'two'],
      );
      connection.query('CREATE TEMPORARY TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, v INT)');
      const [header, none] = connection.query<ResultSetHeader>('INSERT INTO t (v) VALUES (1), (2)');
      assert.equal(header.affectedRows, 2);
      assert.equal(header.insertId, 1);
      assert.equal(none, undefined);
    }),
  );

  test(
    'options of mysql2 count: namedPlaceholders, rowsAsArray, dateStrings, supportBigNumbers',
    server.pooled(
      (pool) => {
        const [rows] = pool.query('SELECT :a AS a, :b AS b', { a: 1, b: 'x' });
        assert.deepEqual(rows, [[1, 'x']]);
        const [prepared] = pool.execute('SELECT :a AS a', { a: 'y' });
        assert.deepEqual(prepared, [['y']]);
        const [big] = pool.query("SELECT 9007199254740993 AS n, DATE '2024-02-29' AS d");
        assert.deepEqual(big, [['9007199254740993', '2024-02-29']]);
        const sql = { sql: 'SELECT 1 AS a', rowsAsArray: false };
        assert.deepEqual({ ...pool.query<RowDataPacket[]>(sql)[0][0] }, { a: 1 });
      },
      { namedPlaceholders: true, rowsAsArray: true, dateStrings: true, supportBigNumbers: true },
    ),
  );

  test(
    'several statements give several results, where that is allowed',
    server.pooled(
      (pool) => {
        const [results, fields] = pool.query<RowDataPacket[][]>(
          'SELECT 1 AS a; DO 1; SELECT 2 AS b',
        );
        assert.equal(results.length, 3);
        assert.equal(results[2]?.[0]?.b, 2);
        assert.equal(fields[1], undefined);
      },
      { multipleStatements: true },
    ),
  );

  test(
    'they are an error where it is not',
    server.pooled((pool) => {
      assert.throws(() => pool.query('SELECT 1; SELECT 2'), { code: 'ER_PARSE_ERROR' });
    }),
  );

  test(
    'errors carry code, errno, sqlState, sqlMessage and the stack of the call',
    server.pooled((pool) => {
      const ask = () => pool.query('SELECT * FROM nothing_here');
      const expected = { code: 'ER_NO_SUCH_TABLE', errno: 1146, sqlState: '42S02' };
      assert.throws(ask, expected);
      assert.throws(ask, (error: Error & { sqlMessage?: string; sql?: string }) => {
        assert.match(error.sqlMessage ?? '', /nothing_here/);
        assert.equal(error.sql, 'SELECT * FROM nothing_here');
        return /results\.test/.test(error.stack ?? '');
      });
      assert.throws(() => pool.execute('SELECT bad FROM nothing_here'), expected);
      assert.equal(value(pool, 'SELECT 1'), 1);
    }),
  );

  test(
    'a prepared statement is used until it is closed',
    server.connected((connection) => {
      const sql = 'SELECT ? + ? AS sum';
      {
        using statement = connection.prepare(sql);
        for (let n = 0; n < 3; n++) {
          const [rows] = statement.execute<RowDataPacket[]>([n, 1]);
          assert.equal(Number(rows[0]?.sum), n + 1);
        }
      }
      const [rows] = connection.execute<RowDataPacket[]>(sql, [2, 3]);
      assert.equal(Number(rows[0]?.sum), 5, 'it is prepared again');
      connection.unprepare(sql);
      connection.execute(sql, [2, 3]);
      assert.throws(() => connection.prepare('SELEKT'), { code: 'ER_PARSE_ERROR' });
    }),
  );

  test(
    'what cannot be bound is a TypeError of mysql2, and costs nothing',
    server.pooled(
      (pool) => {
        assert.throws(() => pool.execute('SELECT ?', [undefined as never]), TypeError);
        assert.throws(() => pool.query(undefined as never), { code: 'ERR_INVALID_ARG' });
        assert.throws(() => pool.query({} as never), { code: 'ERR_INVALID_ARG' });
        assert.equal(value(pool, 'SELECT 1'), 1);
        assert.equal(pool.statistics().size, 1);
      },
      { connectionLimit: 1 },
    ),
  );

  test(
    'escape, escapeId and format are there on both',
    server.pooled((pool) => {
      using connection = pool.getConnection();
      for (const each of [pool, connection]) {
        assert.equal(each.escape("it's"), "'it\\'s'");
        assert.equal(each.escapeId('a.b'), '`a`.`b`');
        assert.equal(each.format('SELECT ?, ??', [1, 'x']), 'SELECT 1, `x`');
      }
    }),
  );
});
