/** What a client of one's own and one of a pool have in common. */
import {
  escapeIdentifier,
  escapeLiteral,
  type QueryArrayConfig,
  type QueryArrayResult,
  type QueryConfig,
  type QueryConfigValues,
  type QueryResult,
  type QueryResultRow,
  type TransactionStatus,
  type types,
} from 'pg';
import { checkCopy, copyFrom, copyTo } from './copy.js';
import { type CursorOptions, checkCursor, readCursor } from './cursor.js';
import type { Any, Queries } from './queries.js';
import { type QueryInput, runQuery } from './query.js';
import type { Session } from './session.js';
import { type TransactionOptions, transaction } from './transaction.js';

export abstract class ClientBase implements Queries {
  /** @throws ClientClosedError */
  protected abstract get session(): Session;

  /** Parks for the answer. A kill or a timeout stops the query on the server. */
  query<R extends Any[] = Any[], I = Any[]>(
    config: QueryArrayConfig<I>,
    values?: QueryConfigValues<I>,
  ): QueryArrayResult<R>;
  query<R extends QueryResultRow = Any, I = Any[]>(
    textOrConfig: string | QueryConfig<I>,
    values?: QueryConfigValues<I>,
  ): QueryResult<R>;
  query(config: QueryInput, values?: unknown[]): unknown {
    return runQuery(this.session, config, values);
  }

  transaction<R>(fn: (client: this) => R, options: TransactionOptions = {}): R {
    return transaction(this.session, () => fn(this), options);
  }

  cursor<R = Any>(sql: string, params?: unknown[], options: CursorOptions = {}) {
    checkCursor(sql, params, options);
    return readCursor<R>(this.session, sql, params, options);
  }

  copyFrom(sql: string, iterable: Iterable<string | Uint8Array>): number {
    checkCopy(sql, { from: iterable });
    return copyFrom(this.session, sql, iterable);
  }

  copyTo(sql: string): Generator<Buffer, void, undefined> {
    checkCopy(sql);
    return copyTo(this.session, sql);
  }

  /** `I` outside a transaction, `T` within one, `E` within one that has failed. */
  getTransactionStatus(): TransactionStatus {
    return this.session.raw.getTransactionStatus();
  }

  /** The server's process for this connection, as `pg_backend_pid()`. */
  get processID(): number | null {
    return this.session.raw.processID;
  }

  setTypeParser: typeof types.setTypeParser = (...args: Any[]) =>
    (this.session.raw.setTypeParser as (...args: Any[]) => void)(...args);

  getTypeParser: typeof types.getTypeParser = (...args: Any[]) =>
    (this.session.raw.getTypeParser as (...args: Any[]) => Any)(...args);

  escapeIdentifier = escapeIdentifier;
  escapeLiteral = escapeLiteral;
}
