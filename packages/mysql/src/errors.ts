/** Errors of this package. What the server or the network says comes as mysql2's own error. */
import { TendrilError } from '@tendril/core';

/** The connection was ended, destroyed or released, or it broke; `cause` says how, where it is known. */
export class ConnectionClosedError extends TendrilError {
  constructor(options?: ErrorOptions) {
    super(
      'ERR_CONNECTION_CLOSED',
      'This connection was ended, released or lost: nothing more can be done with it. Get a new one.',
      options,
    );
  }
}

/** The server does not answer, or knows nothing of a statement whose answer somebody waits for. */
export class SilentServerError extends TendrilError {
  constructor() {
    super(
      'ERR_SERVER_SILENT',
      'No answer will come over this connection: the server, or something on the way to it, has given it up ' +
        'without a word. Look after the server and the network, and try again on another one.',
    );
  }
}

/** What the server answers to a statement that KILL QUERY has stopped. */
export const queryInterrupted = 1317;
/** The server has rolled the whole transaction back, and ended it. */
export const lockDeadlock = 1213;
/** The server has rolled back the statement, or the transaction, by innodb_rollback_on_timeout. */
export const lockWaitTimeout = 1205;

/** The server's number of an error, if it is the server's. */
export function errnoOf(error: unknown): number | undefined {
  const errno = (error as { errno?: unknown } | null | undefined)?.errno;
  return typeof errno === 'number' && errno > 0 ? errno : undefined;
}
