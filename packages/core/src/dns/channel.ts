/** One name server, and c-ares' channel to it. */
import { Resolver } from 'node:dns';
import { probe, type Verdict } from './lame.js';
import { Relay } from './relay.js';
import { formatServer, parseServer, type ServerAddress } from './server-address.js';

export type Method =
  | 'resolve4'
  | 'resolve6'
  | 'resolveAny'
  | 'resolveCaa'
  | 'resolveCname'
  | 'resolveMx'
  | 'resolveNaptr'
  | 'resolveNs'
  | 'resolvePtr'
  | 'resolveSoa'
  | 'resolveSrv'
  | 'resolveTlsa'
  | 'resolveTxt'
  | 'reverse';

/** As `dns.resolve…` call back. */
export type Callback = (error: NodeJS.ErrnoException | null, records?: unknown) => void;

type Query = (name: string, ...args: unknown[]) => void;

function failure(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code });
}

export class Channel {
  readonly #server: ServerAddress;
  readonly #timeout: number;
  readonly #resolver: Resolver;
  readonly #relay: Relay | undefined;
  readonly #probes = new Set<() => void>();
  #recursive = false;

  /** `timeout`: milliseconds for a query. */
  constructor(server: string, timeout: number) {
    this.#server = parseServer(server);
    this.#timeout = timeout;
    this.#resolver = new Resolver({ timeout, tries: 1 });
    if (this.#server.scope === undefined) this.#resolver.setServers([formatServer(this.#server)]);
    else this.#relay = new Relay(this.#server, timeout);
  }

  /** One query. `callback` is called once, later. */
  query(method: Method, name: string, callback: Callback): void {
    if (!this.#relay) {
      this.#send(method, name, callback);
      return;
    }
    this.#relay.whenReady((port) => {
      if (port === 0) {
        process.nextTick(callback, failure('ECONNREFUSED', 'there is no way to the server'));
        return;
      }
      if (this.#resolver.getServers()[0] !== `127.0.0.1:${port}`)
        this.#resolver.setServers([`127.0.0.1:${port}`]);
      this.#send(method, name, callback);
    });
  }

  #send(method: Method, name: string, callback: Callback): void {
    try {
      const ask = (this.#resolver as unknown as Record<Method, Query>)[method];
      if (method === 'resolve4' || method === 'resolve6')
        ask.call(this.#resolver, name, { ttl: true }, callback);
      else ask.call(this.#resolver, name, callback);
    } catch (error) {
      // Node refuses some arguments at once; nobody is called back before query() returns.
      process.nextTick(callback, error as Error);
    }
  }

  /**
   * Whether an empty answer to this question is that of a lame server. A server that recurses is asked once
   * and for all. Calls back once, later.
   */
  isLame(name: string, type: number, done: (lame: boolean) => void): void {
    if (this.#recursive) {
      process.nextTick(done, false);
      return;
    }
    const forget = () => {
      giveUp();
      done(false);
    };
    const giveUp = probe(this.#server, name, type, this.#timeout, (verdict: Verdict) => {
      this.#probes.delete(forget);
      this.#recursive = verdict.recursive;
      done(verdict.lame);
    });
    this.#probes.add(forget);
  }

  /** Whether {@link isLame} knows without asking. */
  get recursive(): boolean {
    return this.#recursive;
  }

  /** Queries under way are called back with ECANCELLED. */
  close(): void {
    this.#resolver.cancel();
    this.#relay?.close();
    for (const forget of this.#probes) forget();
    this.#probes.clear();
  }
}
