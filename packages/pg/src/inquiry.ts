/** inquire(): asks the server, on a connection beside, what became of another one. */
import { park, withTimeout } from '@tendril/core';
import { Query, type QueryResult } from 'pg';
import { connectRaw, makeRaw, NamedSocket, type RawClient } from './driver.js';
import type { ClientOptions } from './options.js';

/** `silent`: it gives no sign of life. `lost`: it works on nothing for that connection. `well`: not known to be dead. */
export type Finding = 'silent' | 'lost' | 'well';

/** Milliseconds for the server to take a goodbye. */
const goodbye = 1000;

/** A network that says so itself. Any other error has come from a host that is there. */
const unreachable = new Set(['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN']);

const ignore = () => {};

// Behind a pooler the number of a process is none of the server's, and says nothing.
const question = `SELECT pg_backend_pid() = $1 AS direct,
  (SELECT state FROM pg_catalog.pg_stat_activity WHERE pid = $2) AS state`;

function ask(raw: RawClient, about: number | null): Finding {
  const { rows } = park<QueryResult>((resume) => {
    raw.query(
      new Query(question, [raw.processID, about], (error, result) =>
        error ? resume.error(error) : resume(result),
      ),
    );
  });
  const [{ direct, state }] = rows;
  return direct && (state === null || state.startsWith('idle')) ? 'lost' : 'well';
}

function end(raw: RawClient): void {
  const timer = setTimeout(() => raw.connection.stream.destroy(), goodbye);
  raw.connection.once('end', () => clearTimeout(timer));
  (raw.end as (callback: () => void) => void)(ignore);
}

/** Parks for at most `patience` milliseconds. `address` is that of `main`: its name may mean several servers. */
export function inquire(
  main: RawClient,
  options: ClientOptions,
  address: string | undefined,
  patience: number,
): Finding {
  const stream = options.stream ?? (() => new NamedSocket(address));
  const raw = makeRaw({ ...options, stream, pipeline: false });
  raw.on('error', ignore);
  try {
    const finding = withTimeout(
      patience,
      () => {
        connectRaw(raw, ignore);
        return ask(raw, main.processID);
      },
      { value: 'silent' as Finding },
    );
    if (finding === 'silent') raw.connection.stream.destroy();
    else end(raw);
    return finding;
  } catch (error) {
    raw.connection.stream.destroy();
    return unreachable.has((error as NodeJS.ErrnoException)?.code ?? '') ? 'silent' : 'well';
  }
}
