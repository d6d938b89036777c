/** What can be asked of a pool and of a client alike, with pg's types. */
import type {
  QueryArrayConfig,
  QueryArrayResult,
  QueryConfig,
  QueryConfigValues,
  QueryResult,
  QueryResultRow,
} from 'pg';
import type { ClientBase } from './client-base.js';
import type { CursorOptions } from './cursor.js';
import type { TransactionOptions } from './transaction.js';

/** pg's own types say `any` for rows and values that are not described. */
// biome-ignore lint/suspicious/noExplicitAny: as pg has it
export type Any = any;

export interface Queries {
  /**
   * Parks for the answer. A kill or a timeout stops the query on the server; several statements in one
   * text give an array of results.
   * @throws DatabaseError with the server's code, ConnectionLostError, AcquireTimeoutError of a pool
   */
  query<R extends Any[] = Any[], I = Any[]>(
    config: QueryArrayConfig<I>,
    values?: QueryConfigValues<I>,
  ): QueryArrayResult<R>;
  query<R extends QueryResultRow = Any, I = Any[]>(
    textOrConfig: string | QueryConfig<I>,
    values?: QueryConfigValues<I>,
  ): QueryResult<R>;

  /**
   * Runs `fn` between BEGIN and COMMIT; within a transaction between savepoints. An error, a kill or a
   * timeout rolls it back: a connection on which that cannot be proven is destroyed.
   * Other greenlets that use the client wait until it has ended.
   * @throws what `fn` throws, TransactionAbortedError, AcquireTimeoutError, ConcurrentUseError
   */
  transaction<R>(fn: (client: ClientBase) => R, options?: TransactionOptions): R;

  /** The rows of a long answer, of which `batchSize` are held at a time. Leaving early closes it. */
  cursor<R = Any>(
    sql: string,
    params?: unknown[],
    options?: CursorOptions,
  ): Generator<R, void, undefined>;

  /**
   * COPY … FROM STDIN: sends what the iterable yields. An error of the iterable, a kill or a timeout makes
   * the server drop it all.
   * @returns how many rows the server took
   */
  copyFrom(sql: string, iterable: Iterable<string | Uint8Array>): number;

  /** COPY … TO STDOUT: pieces as they come, which need not end where a row does. */
  copyTo(sql: string): Generator<Buffer, void, undefined>;
}
