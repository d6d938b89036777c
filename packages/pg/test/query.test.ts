import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { spawn } from '@tendril/core';
import { Client, DatabaseError, Pool, types } from '@tendril/pg';
import { login, useServer, withClient, withPool } from './helpers.js';

describe('query', () => {
  useServer();

  const values: [sql: string, value: unknown][] = [
    ['NULL::int', null],
    ['true', true],
    ['42::int2', 42],
    ['42::int4', 42],
    ['9007199254740993::int8', '9007199254740993'],
    ['1.5::float8', 1.5],
    ["'NaN'::float8", Number.NaN],
    ['12345678901234567890.123::numeric', '12345678901234567890.123'],
    ["'Grüße, 世界'::text", 'Grüße, 世界'],
    ["'\\x00ff'::bytea", Buffer.from([0, 255])],
    ['\'{"a": [1, null]}\'::jsonb', { a: [1, null] }],
    ["'2026-01-02T03:04:05.678Z'::timestamptz", new Date('2026-01-02T03:04:05.678Z')],
    ['ARRAY[1, NULL, 3]', [1, null, 3]],
    ["ARRAY['a,b', 'c\"d']", ['a,b', 'c"d']],
    ["'11111111-2222-3333-4444-555555555555'::uuid", '11111111-2222-3333-4444-555555555555'],
    ["'(1.5,2)'::point", { x: 1.5, y: 2 }],
  ];
  test(
    'values of each type come as pg gives them, and go back as they came',
    withClient((client) => {
      for (const [sql, value] of values) {
        assert.deepEqual(client.query(`SELECT ${sql} AS v`).rows[0].v, value, sql);
        if (sql.endsWith('::point')) continue;
        const type = client.query(`SELECT pg_typeof(${sql})::text AS t`).rows[0].t;
        const sent = type === 'jsonb' ? JSON.stringify(value) : value;
        const [row] = client.query(`SELECT $1::${type} AS v`, [sent]).rows;
        assert.deepEqual(row.v, value, `${sql} as a parameter`);
      }
    }),
  );

  test(
    'results have pg’s form: rows, fields, rowCount, command; arrays and several statements',
    withPool((pool) => {
      const result = pool.query<{ a: number }>('SELECT 1 AS a UNION SELECT 2 ORDER BY a');
      assert.deepEqual(result.rows, [{ a: 1 }, { a: 2 }]);
      assert.deepEqual([result.rowCount, result.command], [2, 'SELECT']);
      assert.equal(result.fields[0]?.dataTypeID, types.builtins.INT4);
      const config = { text: 'SELECT $1::int, 2', values: [1], rowMode: 'array' as const };
      assert.deepEqual(pool.query(config).rows, [[1, 2]]);
      const both = pool.query('SELECT 1 AS a; SELECT 2 AS b') as unknown as { rows: unknown[] }[];
      assert.deepEqual(
        both.map(({ rows }) => rows),
        [[{ a: 1 }], [{ b: 2 }]],
      );
      for (let i = 0; i < 3; i++)
        assert.equal(
          pool.query({ name: 'p', text: 'SELECT $1::int AS n', values: [i] }).rows[0].n,
          i,
        );
    }),
  );

  test(
    'type parsers work, for a client, and for a query; one that throws is an error of its query',
    withClient((client) => {
      client.setTypeParser(types.builtins.INT8, (text) => BigInt(text));
      assert.equal(client.query('SELECT 5::int8 AS n').rows[0].n, 5n);
      const parser = {
        getTypeParser: () => () => {
          throw new RangeError('mine');
        },
      };
      assert.throws(() => client.query({ text: 'SELECT 1', types: parser }), RangeError);
      assert.throws(() => [...client.cursor('SELECT 1', [], { types: parser })], RangeError);
      assert.equal(client.query('SELECT 6::int8 AS n').rows[0].n, 6n);
    }),
  );

  const errors: [sql: string, params: unknown[], expected: object][] = [
    ['SELEC 1', [], { code: '42601', position: '1', severity: 'ERROR' }],
    ['SELECT * FROM nowhere', [], { code: '42P01', position: '15' }],
    ['SELECT 1/0', [], { code: '22012' }],
    ['SELECT $1::int', ['x'], { code: '22P02' }],
    [
      'INSERT INTO unique_numbers VALUES (1)',
      [],
      { code: '23505', detail: 'Key (n)=(1) already exists.', constraint: 'unique_numbers_pkey' },
    ],
  ];
  test(
    'errors are the server’s, with code, position, detail; the connection serves on',
    withClient((client) => {
      client.query('CREATE TEMP TABLE unique_numbers (n int PRIMARY KEY)');
      client.query('INSERT INTO unique_numbers VALUES (1)');
      for (const [sql, params, expected] of errors) {
        assert.throws(
          () => client.query(sql, params),
          (error: DatabaseError) => {
            assert.ok(error instanceof DatabaseError);
            for (const [name, value] of Object.entries(expected))
              assert.equal(error[name as keyof DatabaseError], value, sql);
            assert.match(error.stack ?? '', /query\.test/, 'the caller is in the stack');
            return true;
          },
        );
        assert.equal(client.query('SELECT 1 AS n').rows[0].n, 1);
      }
    }),
  );

  test(
    'bad arguments are typed errors, and cost nothing',
    withPool((pool) => {
      const invalid = { code: 'ERR_INVALID_ARG' };
      const any = (value: unknown) => value as never;
      assert.throws(() => pool.query(any(undefined)), invalid);
      assert.throws(() => pool.query(any({})), invalid);
      assert.throws(() => pool.query('SELECT 1', any('x')), invalid);
      assert.throws(() => pool.cursor('SELECT 1', [], { batchSize: 0 }), invalid);
      assert.throws(() => pool.copyFrom('COPY t FROM STDIN', any(5)), invalid);
      assert.throws(() => pool.listen(''), invalid);
      assert.throws(() => pool.transaction(() => {}, { isolation: any('none') }), invalid);
      assert.throws(() => pool.transaction(any(async () => {})), invalid);
      assert.throws(() => new Pool({ max: 0 }), invalid);
      assert.throws(() => new Pool({ idleTimeoutMillis: -1 }), invalid);
      assert.throws(() => new Client(any(5)), invalid);
      const circular: { self?: object } = {};
      circular.self = circular;
      assert.throws(() => pool.query('SELECT $1::jsonb', [circular]), TypeError);
      pool.query({ name: 'same', text: 'SELECT 1' });
      assert.throws(() => pool.query({ name: 'same', text: 'SELECT 2' }), /must be unique/);
      assert.equal(pool.query('SELECT 1 AS n').rows[0].n, 1);
      assert.equal(pool.totalCount, 1);
    }),
  );

  test(
    'greenlets share a client: one query runs after the other',
    withClient((client) => {
      const all = [1, 2, 3, 4].map((n) =>
        spawn(() => client.query('SELECT $1::int AS n FROM pg_sleep(0.02)', [n]).rows[0].n),
      );
      assert.deepEqual(
        all.map((each) => each.get()),
        [1, 2, 3, 4],
      );
    }),
  );

  test(
    'notices go to onNotice, a connection string will do, and a closed client says so',
    withClient((client) => {
      const { host, port, user, password } = login();
      const notices: unknown[] = [];
      const second = new Client({
        connectionString: `postgres://${user}:${password}@${host}:${port}/postgres`,
        onNotice: ({ message }) => notices.push(message),
      });
      assert.throws(() => second.query('SELECT 1'), { code: 'ERR_CLIENT_CLOSED' });
      second.connect();
      second.query("DO $$ BEGIN RAISE NOTICE 'well'; END $$");
      assert.deepEqual(notices, ['well']);
      assert.notEqual(second.processID, client.processID);
      second.end();
      assert.throws(() => second.query('SELECT 1'), { code: 'ERR_CLIENT_CLOSED' });
      assert.throws(() => second.connect(), { code: 'ERR_CLIENT_CLOSED' });
    }),
  );
});
