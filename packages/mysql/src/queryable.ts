/** Queryable: what a pool and a connection have in common. */
import { InvalidArgumentError, Timeout } from '@tendril/core';
import type {
  ExecuteValues,
  FieldPacket,
  QueryOptions,
  QueryResult,
  QueryValues,
  RowDataPacket,
} from 'mysql2';
import { rows } from './rows.js';
import type { Session } from './session.js';

/** The driver's own error for its own option. */
function inactivity(): Error {
  return Object.assign(new Error('Query inactivity timeout'), {
    code: 'PROTOCOL_SEQUENCE_TIMEOUT',
    errorno: 'PROTOCOL_SEQUENCE_TIMEOUT',
    syscall: 'query',
  });
}

function checkSql(sql: unknown): void {
  const text = typeof sql === 'object' && sql !== null ? (sql as QueryOptions).sql : sql;
  if (typeof text !== 'string')
    throw new InvalidArgumentError('sql', 'a string, or an object with it as `sql`', text);
}

export abstract class Queryable {
  /** A session to run something on; {@link giveBack} follows. */
  protected abstract take(): Session;
  protected abstract giveBack(session: Session): void;

  /** `[rows, fields]`, or `[result, undefined]` of a statement without rows, as mysql2/promise has it. */
  query<T extends QueryResult>(
    sql: string | QueryOptions,
    values?: QueryValues,
  ): [T, FieldPacket[]] {
    return this.#run('query', sql, values);
  }

  /** The same as a prepared statement, which the connection keeps. */
  execute<T extends QueryResult>(
    sql: string | QueryOptions,
    values?: ExecuteValues,
  ): [T, FieldPacket[]] {
    return this.#run('execute', sql, values as QueryValues);
  }

  #run<T extends QueryResult>(
    method: 'query' | 'execute',
    sql: string | QueryOptions,
    values: QueryValues,
  ): [T, FieldPacket[]] {
    checkSql(sql);
    if (typeof sql === 'object' && sql.timeout !== undefined)
      return this.#runLimited(method, sql, values);
    const session = this.take();
    try {
      return session.query(sql, values, method);
    } finally {
      this.giveBack(session);
    }
  }

  // mysql2's own timer would leave the query running on the server.
  #runLimited<T extends QueryResult>(
    method: 'query' | 'execute',
    { timeout, ...options }: QueryOptions,
    values: QueryValues,
  ): [T, FieldPacket[]] {
    const session = this.take();
    try {
      using _limit = Timeout.startNew(timeout || undefined, inactivity());
      return session.query(options, values, method);
    } finally {
      this.giveBack(session);
    }
  }

  /**
   * The rows of a query, one after the other, for results of any size. The query begins with the
   * first row that is asked for, and ends on the server when the loop is left.
   */
  *stream<T = RowDataPacket>(
    sql: string | QueryOptions,
    values?: QueryValues,
  ): Generator<T, void, undefined> {
    checkSql(sql);
    const session = this.take();
    try {
      yield* rows<T>(session, sql, values);
    } finally {
      this.giveBack(session);
    }
  }
}
