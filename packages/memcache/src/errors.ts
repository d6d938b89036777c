/** Errors of a memcache client, grouped by what is to be done about them. */
import { TendrilError } from '@tendril/core';
import { errors as meanings } from 'memjs/lib/memjs/protocol.js';

/** The server answered, and refused: `status` is its reason (binary protocol, section 3.2). */
export class ServerError extends TendrilError {
  readonly status: number;

  constructor(command: string, status: number) {
    const meaning = meanings[status] ?? `status 0x${status.toString(16)}`;
    super('ERR_MEMCACHE_SERVER', `${command}: ${meaning}`);
    this.status = status;
  }
}

/** User or password are wrong, or missing. Nothing is retried: another try would not help. */
export class AuthenticationError extends TendrilError {
  constructor(server: string) {
    super(
      'ERR_MEMCACHE_AUTHENTICATION',
      `${server} refused the login. Check \`username\` and \`password\`.`,
    );
  }
}

/**
 * No connection, or it broke. `code` is the system's (ECONNREFUSED, ECONNRESET, ENOTFOUND …), or
 * ERR_MEMCACHE_CONNECT_TIMEOUT, ERR_MEMCACHE_DISCONNECTED, ERR_MEMCACHE_PROTOCOL.
 */
export class ConnectionError extends TendrilError {
  /** True: the server may have carried the command out. */
  readonly sent: boolean;

  constructor(server: string, sent: boolean, cause: Error & { code?: string }) {
    const fate = sent ? ' It is not known whether the command was carried out.' : '';
    super(cause.code ?? 'ERR_MEMCACHE_DISCONNECTED', `${server}: ${cause.message}.${fate}`, {
      cause,
    });
    this.sent = sent;
  }
}

/** What broke a connection, where that was not the system. */
export function breakage(code: string, message: string): Error & { code: string } {
  return Object.assign(new Error(message), { code: `ERR_MEMCACHE_${code}` });
}

/** No answer within `timeout`. The command may have been carried out. */
export class ReplyTimeoutError extends TendrilError {
  constructor(server: string, seconds: number) {
    super(
      'ERR_MEMCACHE_TIMEOUT',
      `${server} has not answered within ${seconds} s. Whether the command was carried out is not known.`,
    );
  }
}

/** The key's server is dead, and there is none to take its place: see `failover`. `cause` says why. */
export class ServerDeadError extends TendrilError {
  constructor(server: string, cause: Error) {
    super('ERR_MEMCACHE_SERVER_DEAD', `${server} could not be reached: ${cause.message}`, {
      cause,
    });
  }
}

/** The client was closed, before the call or during it. */
export class ClientClosedError extends TendrilError {
  constructor() {
    super('ERR_MEMCACHE_CLOSED', 'This client is closed. Make a new one.');
  }
}

/** A command for all servers has failed on some of them. Keys of both are `host:port`. */
export class PartialError<T = unknown> extends TendrilError {
  readonly results: Record<string, T>;
  readonly errors: Record<string, Error>;

  constructor(results: Record<string, T>, errors: Record<string, Error>) {
    const failed = Object.entries(errors).map(([server, error]) => `${server}: ${error.message}`);
    super('ERR_MEMCACHE_PARTIAL', `Not all servers did it. ${failed.join(' ')}`);
    this.results = results;
    this.errors = errors;
  }
}
