/** Cluster: which server a command goes to, and what happens when that one cannot be reached. */
import { InvalidArgumentError, joinall, killall, rethrowExit, sleep, spawn } from '@tendril/core';
import { ConnectionError, PartialError, ServerDeadError } from './errors.js';
import type { Answer, Request } from './exchange.js';
import type { Settings } from './options.js';
import type { Server } from './server.js';

export class Cluster {
  readonly servers: readonly Server[];
  readonly #settings: Settings;

  constructor(servers: readonly Server[], settings: Settings) {
    this.servers = servers;
    this.#settings = settings;
  }

  /**
   * The server number `own`, or with `failover` the next living one.
   * @throws ServerDeadError, InvalidArgumentError if there is no such server
   */
  choose(own: number): Server {
    const { servers } = this;
    const first = servers[own];
    if (!first) throw new InvalidArgumentError('getServer()', 'an index of `servers`', own);
    if (first.isUsable()) return first;
    if (this.#settings.failover)
      for (let step = 1; step < servers.length; step++) {
        const next = servers[(own + step) % servers.length] as Server;
        if (next.isUsable()) return next;
      }
    first.checkLastResort();
    return first;
  }

  /**
   * Performs a command on the server number `own` or one that takes its place. What has been sent is
   * sent again only if it may be repeated, and only when the connection broke: a server that does not
   * answer in time gets no more to do.
   * @throws what {@link Server.perform} throws, ServerDeadError
   */
  perform(own: number, request: Request): Answer {
    let failed: ConnectionError | undefined;
    let hops = this.servers.length;
    for (let retries = this.#settings.retries; ; ) {
      const server = failed ? this.#chooseAfter(failed, own) : this.choose(own);
      try {
        return server.perform(request);
      } catch (error) {
        if (!(error instanceof ConnectionError)) throw error;
        if (error.sent && !request.repeatable) throw error;
        failed = error;
        if (server.dead && hops-- > 0) continue; // the next one is tried at once
        if (retries-- <= 0) throw error;
        sleep(this.#settings.retryDelay);
      }
    }
  }

  /** As {@link choose}; if all are dead, `failed` says more about it. */
  #chooseAfter(failed: ConnectionError, own: number): Server {
    try {
      return this.choose(own);
    } catch (error) {
      throw error instanceof ServerDeadError ? failed : error;
    }
  }

  /**
   * Runs `ask` for all servers side by side, each in a greenlet.
   * @returns the results by `host:port`
   * @throws the error of the only server, or PartialError
   */
  everywhere<R>(ask: (server: Server) => R): Record<string, R> {
    const [only] = this.servers;
    if (only && this.servers.length === 1) return { [only.name]: ask(only) };
    const results: Record<string, R> = {};
    const errors: Record<string, Error> = {};
    sideBySide(this.servers, (server) => {
      try {
        results[server.name] = ask(server);
      } catch (error) {
        rethrowExit(error);
        errors[server.name] = error as Error;
      }
    });
    if (Object.keys(errors).length > 0) throw new PartialError(results, errors);
    return results;
  }
}

/** Runs `work` for each item in a greenlet of its own; a kill of the caller ends them. */
export function sideBySide<T>(items: Iterable<T>, work: (item: T) => void): void {
  const all = Array.from(items, (item) => spawn(work, item));
  try {
    joinall(all);
  } finally {
    killall(all, { block: false });
  }
}
