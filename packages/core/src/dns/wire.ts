/** Queries to name servers, through c-ares: which server, how often, and what an answer means. */
import { Resolver } from 'node:dns';
import type { ResolvConf } from './resolv-conf.js';

export type Answer<T> =
  | { kind: 'records'; records: T }
  /** The server knows: there is no such name, or none of this type. */
  | { kind: 'none'; code: 'ENOTFOUND' | 'ENODATA' }
  /** No server gave an answer that can be used. */
  | { kind: 'failure'; code: string };

type Method =
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
  | 'resolveTxt'
  | 'reverse';

type Callback = (error: NodeJS.ErrnoException | null, records: unknown) => void;

/**
 * One c-ares channel for each server, so that the order of servers and the number of attempts are ours:
 * a server that fails, refuses or is silent is followed by the next. Truncated answers are asked for
 * again over TCP by c-ares itself.
 */
export class Wire {
  readonly #channels: Resolver[];
  readonly #conf: Pick<ResolvConf, 'attempts' | 'rotate'>;
  #first = 0;
  #closed = false;
  /** Queries sent, repeated ones included. */
  queries = 0;

  constructor(conf: Pick<ResolvConf, 'nameservers' | 'timeout' | 'attempts' | 'rotate'>) {
    this.#conf = conf;
    this.#channels = conf.nameservers.map((server) => {
      const channel = new Resolver({ timeout: conf.timeout, tries: 1 });
      channel.setServers([
        server.includes(':') && /%|^[^[]*:[^[]*:/.test(server) ? `[${server}]` : server,
      ]);
      return channel;
    });
  }

  /** `done` is called once, later, whatever happens; after {@link close} with ECANCELLED. */
  query<T>(method: Method, name: string, done: (answer: Answer<T>) => void): void {
    const count = this.#channels.length;
    const first = this.#first;
    if (this.#conf.rotate) this.#first = (this.#first + 1) % count;
    let tried = 0;
    const next = () => {
      const channel = this.#channels[(first + tried++) % count] as Resolver;
      this.queries++;
      const callback: Callback = (error, records) => {
        if (!error) done({ kind: 'records', records: records as T });
        else if (error.code === 'ENOTFOUND' || error.code === 'ENODATA')
          done({ kind: 'none', code: error.code });
        else if (this.#closed || tried >= count * this.#conf.attempts)
          done({ kind: 'failure', code: error.code ?? 'EAI_FAIL' });
        else next();
      };
      try {
        if (method === 'resolve4' || method === 'resolve6')
          channel[method](name, { ttl: true }, callback as never);
        else channel[method](name, callback as never);
      } catch (error) {
        // Node refuses some arguments at once; `done` is never called before query() returns.
        process.nextTick(callback, error as Error, undefined);
      }
    };
    next();
  }

  close(): void {
    this.#closed = true;
    for (const channel of this.#channels) channel.cancel();
  }
}
