/** isWorkedFor(): asks the server, on a connection beside, what became of another one. */
import { park, withTimeout } from '@tendril/core';
import { Query, type QueryResult } from 'pg';
import { connectRaw, makeRaw, NamedSocket, type RawClient } from './driver.js';
import type { ClientOptions } from './options.js';

/** Milliseconds for the server to take a goodbye. */
const goodbye = 1000;

const ignore = () => {};

// Behind a pooler the number of a process is none of the server's, and says nothing.
const question = `SELECT pg_backend_pid() = $1 AS direct,
  (SELECT state FROM pg_catalog.pg_stat_activity WHERE pid = $2) AS state`;

function ask(raw: RawClient, main: RawClient): boolean {
  const { rows } = park<QueryResult>((resume) => {
    raw.query(
      new Query(question, [raw.processID, main.processID], (error, result) =>
        error ? resume.error(error) : resume(result),
      ),
    );
  });
  const [{ direct, state }] = rows;
  // Of what is not all sent the server knows nothing yet.
  if (main.connection.stream.writableLength > 0) return true;
  return !(direct && (state === null || state.startsWith('idle')));
}

function end(raw: RawClient): void {
  const timer = setTimeout(() => raw.connection.stream.destroy(), goodbye);
  raw.connection.once('end', () => clearTimeout(timer));
  (raw.end as (callback: () => void) => void)(ignore);
}

/**
 * For core's Vigil. Parks for at most `patience` milliseconds. `address` is that of `main`: its name may mean
 * several servers.
 */
export function isWorkedFor(
  main: RawClient,
  options: ClientOptions,
  address: string | undefined,
  patience: number,
): boolean {
  const stream = options.stream ?? (() => new NamedSocket(address));
  const raw = makeRaw({ ...options, stream, pipeline: false });
  raw.on('error', ignore);
  let answered = false;
  try {
    return withTimeout(
      patience,
      () => {
        connectRaw(raw, ignore);
        const answer = ask(raw, main);
        answered = true;
        return answer;
      },
      { value: false },
    );
  } finally {
    if (answered) end(raw);
    else raw.connection.stream.destroy();
  }
}
