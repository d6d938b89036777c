import { type Adapter, type Observer, type Subject, startService } from '@tendril/adapter-suite';
import { Client, type DatabaseError, Pool } from '@tendril/pg';

const login = { user: 'tendril', password: 'tendril', database: 'postgres' };

/** pg over a pool. */
export const adapter: Adapter = {
  name: 'pg',
  start: () => startService('postgres'),

  open({ host, port }, { size, acquireTimeout, password }): Subject {
    const pool = new Pool({
      ...login,
      ...(password !== undefined && { password }),
      host,
      port,
      max: size,
      acquireTimeout,
    });
    const slow = 'SELECT $1::text AS id FROM pg_sleep($2)';
    return {
      echo: (id) => pool.query('SELECT $1::text AS id', [id]).rows[0].id,
      slow: (id, ms) => pool.query(slow, [id, ms / 1000]).rows[0].id,
      slowInTransaction: (id, ms) =>
        pool.transaction((client) => client.query(slow, [id, ms / 1000]).rows[0].id),
      stream: (rows) => pool.cursor('SELECT n FROM generate_series(1, $1::int) AS n', [rows]),
      get size() {
        return pool.totalCount;
      },
      get waiting() {
        return pool.waitingCount;
      },
      close: (timeout) => pool.end({ timeout }),
    };
  },

  observe({ host, port }): Observer {
    const client = new Client({ ...login, host, port, application_name: 'observer' }).connect();
    const count = (where: string) =>
      client.query(
        `SELECT count(*)::int AS n FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND application_name <> 'observer' AND ${where}`,
      ).rows[0].n;
    return {
      running: () => count(`state = 'active' AND query LIKE '%pg_sleep%'`),
      sessions: () => count('true'),
      close: () => client.end(),
    };
  },

  isAuthenticationError: (error) => (error as DatabaseError).code === '28P01',
};
