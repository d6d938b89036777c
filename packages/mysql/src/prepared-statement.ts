/** PreparedStatement: what Connection#prepare gives. */
import type {
  ExecuteValues,
  FieldPacket,
  PrepareStatementInfo,
  QueryOptions,
  QueryResult,
} from 'mysql2';
import type { Session } from './session.js';

export class PreparedStatement implements Disposable {
  readonly #session: Session;
  readonly #info: PrepareStatementInfo;
  readonly #sql: string | QueryOptions;

  /** For `Connection.prepare`. */
  constructor(session: Session, info: PrepareStatementInfo, sql: string | QueryOptions) {
    this.#session = session;
    this.#sql = sql;
    this.#info = info;
  }

  execute<T extends QueryResult>(values: ExecuteValues = []): [T, FieldPacket[]] {
    return this.#session.statement((_raw, done) => this.#info.execute(values, done as never));
  }

  /** Lets the server forget it. Does not park. */
  close(): void {
    // Not #info.close(): mysql2 would go on to use what is closed for an execute() of the same text.
    if (!this.#session.lost) this.#session.raw.unprepare(this.#sql as string);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
