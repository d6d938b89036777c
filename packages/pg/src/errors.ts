/** Errors of connections and transactions. What the server says is a DatabaseError of pg's. */
import { TendrilError } from '@tendril/core';

/** The connection ended, and not by this side. `cause` is what is known about why. */
export class ConnectionLostError extends TendrilError {
  constructor(cause?: unknown) {
    super(
      'ERR_CONNECTION_LOST',
      'The connection to the server is lost. Take another client from the pool, or connect a new one.',
      cause === undefined ? undefined : { cause },
    );
  }
}

/** The server does not answer, or knows nothing of a query whose answer somebody waits for. */
export class SilentServerError extends TendrilError {
  constructor() {
    super(
      'ERR_SERVER_SILENT',
      'No answer will come over this connection: the server, or something on the way to it, has given it up ' +
        'without a word. Look after the server and the network, and try again on another one.',
    );
  }
}

/** A client was used after its end or release, or before `connect()`. */
export class ClientClosedError extends TendrilError {
  constructor(why = 'This client is closed') {
    super('ERR_CLIENT_CLOSED', `${why}: no query can be sent on it.`);
  }
}

/** The server was not reached, or did not let this client in, within `connectionTimeoutMillis`. */
export class ConnectTimeoutError extends TendrilError {
  constructor(ms: number) {
    super(
      'ERR_CONNECT_TIMEOUT',
      `No connection within ${ms} ms. Look after the server and the network, or raise connectionTimeoutMillis.`,
    );
  }
}

/** A query took longer than `query_timeout`, and was stopped. */
export class QueryTimeoutError extends TendrilError {
  constructor(ms: number) {
    super('ERR_QUERY_TIMEOUT', `Query read timeout: no answer within ${ms} ms.`);
  }
}

/**
 * The server has rolled a transaction back instead of committing it: one of its queries had failed,
 * and the error was caught.
 */
export class TransactionAbortedError extends TendrilError {
  constructor() {
    super(
      'ERR_TRANSACTION_ABORTED',
      'The transaction was rolled back: a query in it had failed. Let its error out of the function, or ' +
        'put the part that may fail into a nested transaction.',
    );
  }
}
