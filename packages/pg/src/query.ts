/** Queries whose answers come whole. */
import { InvalidArgumentError, park, type Resume, Timeout } from '@tendril/core';
import { escapeIdentifier, Query, type QueryConfig, type QueryResult } from 'pg';
import { QueryTimeoutError } from './errors.js';
import type { Operation } from './operation.js';
import type { Session } from './session.js';

/** A query, in the words of pg. */
export type QueryInput = string | (Partial<QueryConfig> & { query_timeout?: number });

/** What the queries of all days have, and what is none of pg's. */
const plain = new Set(['name', 'text', 'values', 'query_timeout']);

class QueryOperation implements Operation {
  abandoned = false;
  resume: Resume<QueryResult> | undefined;
  #result: QueryResult | undefined;
  #failure: Error | undefined;

  /**
   * For pg. An error comes before the ReadyForQuery that ends the query, and only then is the
   * transaction's state known.
   */
  readonly callback = (error: Error | null | undefined, result: QueryResult): void => {
    if (error) this.#failure ??= error;
    else this.#result = result;
  };

  ended(lost?: Error): void {
    const failure = this.#failure ?? (this.#result ? undefined : lost);
    if (failure) this.resume?.error(failure);
    else this.resume?.(this.#result as QueryResult);
  }
}

/** @throws InvalidArgumentError for what pg would find wrong only when it sends it */
function checkQuery(config: QueryInput, values: unknown): void {
  if (typeof config !== 'string') {
    if (typeof config !== 'object' || config === null)
      throw new InvalidArgumentError('config', 'a string or an object', config);
    if (typeof config.text !== 'string' && typeof config.name !== 'string')
      throw new InvalidArgumentError('config.text', 'a string', config.text);
    values ??= config.values;
  }
  if (values !== undefined && values !== null && !Array.isArray(values))
    throw new InvalidArgumentError('values', 'an array', values);
}

/** pg finds this out too late to tell it from an answer of the server. */
function checkName(session: Session, config: QueryInput): void {
  if (typeof config === 'string' || !config.name || !config.text) return;
  const { parsedStatements, submittedNamedStatements } = session.raw.connection;
  const { name, text } = config;
  const previous = parsedStatements[name] || submittedNamedStatements[name];
  if (previous && previous !== text)
    throw new Error(
      `Prepared statements must be unique - '${name}' was used for a different statement`,
    );
}

type Answered = QueryOperation['callback'];

/**
 * Makes it. pg copies a config object property by property, with their descriptors, which is a tenth
 * of all that a query costs; one of nothing but a name, a text and values needs no copy.
 */
function makeQuery(config: QueryInput, values: unknown[] | undefined, answered: Answered): Query {
  const callback = answered as () => void;
  if (typeof config === 'string' || !isPlain(config))
    return new Query(config as string, values, callback);
  const query = new Query(config.text, values ?? config.values, callback);
  (query as { name?: string | undefined }).name = config.name;
  return query;
}

// Of a class it may have more than is seen here.
function isPlain(config: Exclude<QueryInput, string>): boolean {
  if (config.text === undefined || Object.getPrototypeOf(config) !== Object.prototype) return false;
  for (const key in config) if (!plain.has(key)) return false;
  return true;
}

/** Parks for the answer. An interrupt stops the query on the server. */
export function runQuery(session: Session, config: QueryInput, values?: unknown[]): QueryResult {
  checkQuery(config, values);
  const own = typeof config === 'object' ? config.query_timeout : undefined;
  const ms = own ?? session.queryTimeout;
  if (!ms) return send(session, config, values);
  using _limit = Timeout.startNew(ms, new QueryTimeoutError(ms));
  return send(session, config, values);
}

/** The server knows a named statement no more, or not with the columns that it had: SQLSTATE, and where raised. */
function isStale(error: unknown): boolean {
  const { code, routine } = (error ?? {}) as { code?: string; routine?: string };
  return code === '26000' || (code === '0A000' && routine === 'RevalidateCachedQuery');
}

/** One whose statement has gone stale (ALTER TABLE, DISCARD) is prepared and sent again, once: nothing was done yet. */
function send(session: Session, config: QueryInput, values: unknown[] | undefined): QueryResult {
  try {
    return sendOnce(session, config, values);
  } catch (error) {
    const name = typeof config === 'object' ? config.name : undefined;
    // In a transaction it has failed together with all before it.
    if (!name || !isStale(error) || session.raw.pipeline || session.inTransaction) throw error;
    const text =
      (config as Partial<QueryConfig>).text ?? session.raw.connection.parsedStatements[name];
    if (text === undefined) throw error;
    deallocate(session, name);
    return sendOnce(session, { ...(config as Partial<QueryConfig>), text }, values);
  }
}

function deallocate(session: Session, name: string): void {
  try {
    sendOnce(session, `DEALLOCATE ${escapeIdentifier(name)}`, undefined);
  } catch (error) {
    if (!isStale(error)) throw error;
  }
  delete session.raw.connection.parsedStatements[name];
  delete session.raw.connection.submittedNamedStatements[name];
}

function sendOnce(
  session: Session,
  config: QueryInput,
  values: unknown[] | undefined,
): QueryResult {
  session.enter();
  const operation = new QueryOperation();
  let begun = false;
  try {
    return park<QueryResult>((resume) => {
      operation.resume = resume;
      const query = makeQuery(config, values, operation.callback);
      checkName(session, config);
      session.begin(operation, query);
      begun = true;
      return () => session.abandon(operation);
    });
  } catch (error) {
    if (!begun) session.leave();
    // pg's errors are made where the answer is read; the caller is of more use.
    else if (!operation.abandoned && error instanceof Error)
      Error.captureStackTrace(error, runQuery);
    throw error;
  }
}
