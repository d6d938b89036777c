/** The server, as a connection sees it. */
import type { Exchange } from '../gateway/exchange.js';
import type { RequestError } from '../http1/request-error.js';
import type { Connection } from './connection.js';
import type { ServerSettings } from './options.js';

export interface ConnectionHost {
  readonly settings: ServerSettings;
  /** Requests after this one are not taken any more. */
  readonly stopping: boolean;
  /** The next response of each connection is its last; those at rest may still ask for it. */
  readonly retiring: boolean;
  /** A time in milliseconds, as old as the last turn of the clock. */
  readonly now: number;
  /** Runs an exchange in a greenlet, now or later. False: there is no room. */
  serve(connection: Connection, exchange: Exchange): boolean;
  /** A head or body was refused, or did not come in time. `exchange`: what it was answered with. */
  refused(connection: Connection, error: RequestError, exchange?: Exchange): void;
  forget(connection: Connection): void;
}
