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
      share() {
        const client = pool.connect();
        return {
          transaction: (fn) => client.transaction(fn),
          add: (account, amount) =>
            void client.query('UPDATE accounts SET amount = amount + $2 WHERE id = $1', [
              account,
              amount,
            ]),
          lock: (id) => void client.query('SELECT pg_advisory_lock($1), pg_sleep(0.02)', [id]),
          unlock: (id) => void client.query('SELECT pg_advisory_unlock($1)', [id]),
          set: (value) =>
            void client.query(`SELECT set_config('tendril.mark', $1, false)`, [value]),
          setting: () =>
            client.query(`SELECT current_setting('tendril.mark', true) AS mark`).rows[0].mark ?? '',
          release: () => client.release(),
          destroy: () => client.release(true),
        };
      },
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
      accounts() {
        client.query(
          `CREATE TABLE IF NOT EXISTS accounts AS
           SELECT id, 0 AS amount FROM generate_series(0, 2) AS id`,
        );
        return client
          .query('SELECT amount FROM accounts ORDER BY id')
          .rows.map((row) => row.amount);
      },
      leftovers: () =>
        client
          .query(
            `SELECT 'a lock' AS what FROM pg_locks WHERE locktype = 'advisory'
             UNION ALL SELECT state FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'`,
          )
          .rows.map(({ what }) => what),
      close: () => client.end(),
    };
  },

  isAuthenticationError: (error) => (error as DatabaseError).code === '28P01',
};
