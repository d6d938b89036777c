/** What the suite is told of this package. */
import { type Adapter, type Service, type Subject, startService } from '@tendril/adapter-suite';
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
      close: () => connection.end(),
    };
  },
  isAuthenticationError: (error) => (error as { code?: string }).code === 'ER_ACCESS_DENIED_ERROR',
};
