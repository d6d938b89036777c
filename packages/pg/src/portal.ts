/** Portal: a query whose rows the server sends when they are asked for, so many at a time. */
import type { EventEmitter } from 'node:events';
import { type CustomTypesConfig, Query } from 'pg';

interface Wire {
  execute(config: { rows: number }): void;
  flush(): void;
  close(config: { type: 'P' }): void;
  sync(): void;
}

interface DataRow {
  readonly length: number;
}

/** What pg's client calls of a query, and its types leave out. */
interface RawQuery extends EventEmitter {
  submit(connection: Wire): Error | null;
  handleDataRow(message: DataRow): void;
  handlePortalSuspended(connection: Wire): void;
  handleCommandComplete(message: object, connection: Wire): void;
  handleEmptyQuery(connection: Wire): void;
  handleError(error: Error, connection: Wire): void;
  /** With it pg would sync at the end by itself. */
  rows: number;
  /** What a type parser has thrown: the rows after it are dropped. */
  readonly _canceledDueToError: unknown;
}

const RawQuery = Query as unknown as new (config: object, values?: unknown[]) => RawQuery;

export interface PortalOptions {
  /** Rows as arrays of values. */
  rowMode?: 'array';
  types?: CustomTypesConfig;
}

/**
 * It says Sync once, whatever comes and in whatever order. The server answers each with a ReadyForQuery,
 * and one too many would be taken for the end of the next query.
 */
export class Portal<R> extends RawQuery {
  /** Why the server, or a type parser, has ended it. */
  failure: unknown;
  /** Called when the rows that were asked for have come, and there may be more. */
  onSuspended: (() => void) | undefined;
  /** Rows that have come, and their bytes, since the last {@link fetch}. */
  count = 0;
  bytes = 0;
  #taken: R[] = [];
  #connection: Wire | undefined;
  #synced = false;
  #unwanted = false;

  /** `count` rows come first. */
  constructor(text: string, values: unknown[] | undefined, count: number, options: PortalOptions) {
    const { rowMode, types } = options;
    super({ text, rows: count, rowMode, types }, values);
    this.on('row', (row) => this.#taken.push(row));
  }

  /** The rows that have come. */
  take(): R[] {
    const rows = this.#taken;
    this.#taken = [];
    return rows;
  }

  /** Asks for `count` more. */
  fetch(count: number): void {
    this.count = 0;
    this.bytes = 0;
    this.#connection?.execute({ rows: count });
    this.#connection?.flush();
  }

  /** Wants no more: ReadyForQuery comes after what is under way. */
  close(): void {
    this.#unwanted = true;
    this.#taken = [];
    this.#finish();
  }

  #finish(): void {
    if (this.#synced) return;
    this.#synced = true;
    // In a transaction it would stay open, and keep its locks. After an error it is gone already.
    this.#connection?.close({ type: 'P' });
    this.#connection?.sync();
  }

  // ------------------------------------------------------- for pg's client

  override submit(connection: Wire): Error | null {
    const error = super.submit(connection);
    // Not before: a value that cannot be sent is a handleError() for which pg has said Sync.
    this.#connection = connection;
    return error;
  }

  override handleDataRow(message: DataRow): void {
    if (this.#unwanted) return;
    this.count++;
    this.bytes += message.length;
    super.handleDataRow(message);
  }

  override handlePortalSuspended(): void {
    if (this._canceledDueToError) this.#finish();
    else this.onSuspended?.();
  }

  override handleCommandComplete(): void {
    this.#finish();
  }

  override handleEmptyQuery(): void {
    this.#finish();
  }

  override handleError(error: Error): void {
    this.failure ??= this._canceledDueToError || error;
    this.#finish();
  }
}
