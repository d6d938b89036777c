/** What servers hold before they are asked: see content.ts. Each says its version. */
import { Client as Memcached } from 'memjs';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import pg from 'pg';
import { createClient } from 'redis';
import { keys, names, values } from './content.js';
import type { Address } from './load.js';

const table = 'CREATE TABLE things (id integer PRIMARY KEY, name varchar(40) NOT NULL)';

export async function fillPostgres(address: Address): Promise<string> {
  const client = new pg.Client({ ...address });
  await client.connect();
  await client.query(table);
  const rows = 'SELECT n - 1, name FROM unnest($1::text[]) WITH ORDINALITY AS all_names (name, n)';
  await client.query(`INSERT INTO things ${rows}`, [names]);
  await client.query('VACUUM ANALYZE things');
  const answer = await client.query('SHOW server_version');
  await client.end();
  return answer.rows[0].server_version;
}

export async function fillMysql(address: Address): Promise<string> {
  const connection = await createConnection({ ...address });
  await connection.query(table);
  await connection.query('INSERT INTO things VALUES ?', [names.map((name, id) => [id, name])]);
  await connection.query('ANALYZE TABLE things');
  const [rows] = await connection.query<RowDataPacket[]>('SELECT VERSION() AS version');
  await connection.end();
  return rows[0]?.version;
}

export async function fillRedis({ host, port, password = '' }: Address): Promise<string> {
  const client = createClient({ socket: { host, port }, password });
  await client.connect();
  await Promise.all(keys.map((key, id) => client.set(key, values[id] as string)));
  const information = await client.info('server');
  await client.close();
  return information;
}

export async function fillMemcached({ host, port }: Address): Promise<string> {
  const client = Memcached.create(`${host}:${port}`);
  await Promise.all(keys.map((key, id) => client.set(key, values[id] as string, {})));
  const version = await new Promise<string>((resolve, reject) => {
    client.stats((error, _server, stats) => (error ? reject(error) : resolve(`${stats?.version}`)));
  });
  client.close();
  return version;
}
