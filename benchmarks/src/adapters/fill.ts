/** What servers hold before they are asked: see content.ts. */
import { Client as Memcached } from 'memjs';
import { createConnection } from 'mysql2/promise';
import pg from 'pg';
import { createClient } from 'redis';
import { keys, names, values } from './content.js';
import type { Address } from './load.js';

const table = 'CREATE TABLE things (id integer PRIMARY KEY, name varchar(40) NOT NULL)';

export async function fillPostgres(address: Address): Promise<void> {
  const client = new pg.Client({ ...address });
  await client.connect();
  await client.query(table);
  const rows = 'SELECT n - 1, name FROM unnest($1::text[]) WITH ORDINALITY AS all_names (name, n)';
  await client.query(`INSERT INTO things ${rows}`, [names]);
  await client.query('VACUUM ANALYZE things');
  await client.end();
}

export async function fillMysql(address: Address): Promise<void> {
  const connection = await createConnection({ ...address });
  await connection.query(table);
  await connection.query('INSERT INTO things VALUES ?', [names.map((name, id) => [id, name])]);
  await connection.query('ANALYZE TABLE things');
  await connection.end();
}

export async function fillRedis({ host, port, password = '' }: Address): Promise<void> {
  const client = createClient({ socket: { host, port }, password });
  await client.connect();
  await Promise.all(keys.map((key, id) => client.set(key, values[id] as string)));
  await client.close();
}

export async function fillMemcached({ host, port }: Address): Promise<void> {
  const client = Memcached.create(`${host}:${port}`);
  await Promise.all(keys.map((key, id) => client.set(key, values[id] as string, {})));
  client.close();
}
