/** What the suite is told of this package. */
import {
  type Adapter,
  type Service,
  type SharedConnection,
  type Subject,
  startService,
} from '@tendril/adapter-suite';
import { sleep } from '@tendril/core';
import { createConnection, createPool, type Pool, type RowDataPacket } from '@tendril/mysql';

/** Options to reach the server of a test. */
export function optionsOf({ info }: Service) {
  const { host, port, user = '', password = '', database = '' } = info;
  return { host, port, user, password, database };
}

const account = { user: 'tendril', password: 'tendril', database: 'tendril' };

interface IdRow extends RowDataPacket {
  id: string;
}

class PoolSubject implements Subject {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  echo(id: string): string {
    const [rows] = this.#pool.query<IdRow[]>('SELECT ? AS id', [id]);
    return String(rows[0]?.id);
  }

  slow(id: string, ms: number): string {
    const [rows] = this.#pool.execute<IdRow[]>('SELECT ? AS id, SLEEP(?) AS slept', [
      id,
      ms / 1000,
    ]);
    return String(rows[0]?.id);
  }

  slowInTransaction(id: string, ms: number): string {
    return this.#pool.transaction((connection) => {
      const [rows] = connection.query<IdRow[]>('SELECT ? AS id, SLEEP(?) AS slept', [
        id,
        ms / 1000,
      ]);
      return String(rows[0]?.id);
    });
  }

  stream(rows: number): Iterable<unknown> {
    return this.#pool.stream('SELECT seq FROM seq_1_to_? AS s', [rows]);
  }

  share(): SharedConnection {
    const connection = this.#pool.getConnection();
    const value = (sql: string, values?: unknown[]) => {
      const [rows] = connection.query<RowDataPacket[]>(sql, values);
      return Object.values(rows[0] ?? {})[0];
    };
    return {
      transaction: (fn) => void connection.transaction(fn),
      add: (account, amount) =>
        void connection.query('UPDATE accounts SET amount = amount + ? WHERE id = ?', [
          amount,
          account,
        ]),
      lock: (id) => void value('SELECT GET_LOCK(?, 30), SLEEP(0.02)', [`lock${id}`]),
      unlock: (id) => void value('SELECT RELEASE_LOCK(?)', [`lock${id}`]),
      set: (mark) => void connection.query('SET @mark = ?', [mark]),
      setting: () => String(value('SELECT @mark') ?? ''),
      release: () => connection.release(),
      destroy: () => connection.destroy(),
    };
  }

  get size(): number {
    return this.#pool.statistics().size;
  }
  get waiting(): number {
    return this.#pool.statistics().waiting;
  }

  close(timeout?: number): void {
    this.#pool.end({ timeout });
  }
}

export const adapter: Adapter = {
  name: 'mysql',
  start: () => startService('mariadb'),
  open({ host, port }, { size, acquireTimeout, password }) {
    const pool = createPool({
      ...account,
      host,
      port,
      connectionLimit: size,
      ...(acquireTimeout === undefined ? undefined : { acquireTimeout }),
      ...(password === undefined ? undefined : { password }),
    });
    return new PoolSubject(pool);
  },
  observe(service) {
    const connection = createConnection(optionsOf(service));
    const count = (where: string): number => {
      const [rows] = connection.query<RowDataPacket[]>(
        `SELECT COUNT(*) AS n FROM information_schema.processlist
          WHERE user IN ('tendril', 'unauthenticated user') AND id <> CONNECTION_ID() AND ${where}`,
      );
      return Number(rows[0]?.n);
    };
    return {
      running: () => count(`info LIKE '%SLEEP%'`),
      sessions: () => count('TRUE'),
      accounts() {
        connection.query(
          `CREATE TABLE IF NOT EXISTS accounts (id INT PRIMARY KEY, amount INT) ENGINE=InnoDB
           SELECT seq AS id, 0 AS amount FROM seq_0_to_2`,
        );
        const [rows] = connection.query<RowDataPacket[]>('SELECT amount FROM accounts ORDER BY id');
        return rows.map(({ amount }) => amount);
      },
      leftovers() {
        sleep(150); // see fromInnodb
        const [rows] = connection.query<RowDataPacket[]>(
          `SELECT 'a lock' AS what FROM seq_0_to_1 WHERE IS_USED_LOCK(CONCAT('lock', seq)) IS NOT NULL
           UNION ALL SELECT 'a transaction' FROM information_schema.innodb_trx
             WHERE trx_mysql_thread_id <> CONNECTION_ID()`,
        );
        return rows.map(({ what }) => what);
      },
      close: () => connection.end(),
    };
  },
  isAuthenticationError: (error) => (error as { code?: string }).code === 'ER_ACCESS_DENIED_ERROR',
};
