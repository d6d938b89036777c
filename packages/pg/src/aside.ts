/** Queries of our own that no greenlet waits for. */
import { Query } from 'pg';
import type { Operation } from './operation.js';

/** For `Session.begin`. `done` gets the server's error, or that of a connection that is lost. */
export function makeAside(sql: string, done: (error?: Error) => void): [Operation, object] {
  let failure: Error | undefined;
  const query = new Query(sql, undefined, (error) => {
    failure ??= error ?? undefined;
  });
  return [{ abandoned: true, ended: (lost) => done(failure ?? lost) }, query];
}
