/** A server for one test file, and bodies that run in a greenlet. */
import { after, before } from 'node:test';
import { type Service, startService } from '@tendril/adapter-suite';
import { run, sleep, withTimeout } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import {
  type Connection,
  type ConnectionOptions,
  createConnection,
  createPool,
  type Pool,
  type PoolOptions,
  type RowDataPacket,
} from '@tendril/mysql';
import { optionsOf } from './adapter.js';

/** Milliseconds that stand for "never", on a machine that others keep busy, too. */
const patience = 120_000;

/** Starts a server before the tests of a file, and looks for leaks after them. */
export function serverOfFile() {
  let service: Service | undefined;
  before(async () => {
    service = await startService('mariadb');
  });
  after(async () => {
    await service?.stop();
    await checkLeaks();
  });
  const options = () => optionsOf(service as Service);
  return {
    get service(): Service {
      return service as Service;
    },
    options,
    /** A test's body with a pool, closed afterwards. */
    pooled(body: (pool: Pool) => void, more?: PoolOptions) {
      return () =>
        run(() => {
          using pool = createPool({ ...options(), ...more });
          withTimeout(patience, () => body(pool));
        }) as Promise<void>;
    },
    /** A test's body with a connection. */
    connected(body: (connection: Connection) => void, more?: PoolOptions) {
      return () =>
        run(() => {
          using connection = createConnection({ ...options(), ...more });
          withTimeout(patience, () => body(connection));
        }) as Promise<void>;
    },
  };
}

/** The first value of the first row. */
export function value(from: Pool | Connection, sql: string, values?: unknown[]): unknown {
  const [rows] = from.query<RowDataPacket[]>(sql, values);
  return Object.values(rows[0] ?? {})[0];
}

/** How many sessions run something like this. */
export function running(from: Pool | Connection, like: string): number {
  const sql =
    'SELECT COUNT(*) FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND info LIKE ?';
  return Number(value(from, sql, [like]));
}

/** Parks until it holds. */
export function until(holds: () => boolean): void {
  const end = performance.now() + patience;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within ${patience} ms: ${holds}`);
    sleep(5);
  }
}

/**
 * What InnoDB says of transactions and locks, in tables that it makes anew only for somebody who has left them
 * alone for a tenth of a second (CACHE_MIN_IDLE_TIME_NS): who looks again and again sees the same for ever.
 */
export function fromInnodb<T>(look: () => T): T {
  sleep(150);
  return look();
}

/** Parks until the server works on `count` statements like this. */
export function untilRunning(options: ConnectionOptions, like: string, count = 1): void {
  using observer = createConnection(options);
  until(() => running(observer, like) === count);
}
