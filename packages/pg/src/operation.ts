/** Operations: what a connection is working on, each ended by one ReadyForQuery. */
import { InvalidArgumentError, type Resume } from '@tendril/core';
import type { QueryConfig, QueryResult } from 'pg';

export interface Operation {
  /** Its greenlet does not wait any more. */
  abandoned: boolean;
  /** The server is done with it, or the connection is lost. */
  ended(lost?: Error): void;
}

/** A query, in the words of pg. */
export type QueryInput = string | (Partial<QueryConfig> & { query_timeout?: number });

/** A query whose answer comes whole. */
export class QueryOperation implements Operation {
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
export function checkQuery(config: QueryInput, values: unknown): void {
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
