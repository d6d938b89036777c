/** Queries to name servers, through c-ares: which server, how often, and what an answer means. */
import { type Callback, Channel, type Method } from './channel.js';
import { questionOf } from './questions.js';
import type { ResolvConf } from './resolv-conf.js';

export type { Method } from './channel.js';

export type Answer<T> =
  | { kind: 'records'; records: T }
  /** The server knows: there is no such name, or none of this type. */
  | { kind: 'none'; code: 'ENOTFOUND' | 'ENODATA' }
  /** No server gave an answer that can be used; `silent`: one at least did not answer at all in time. */
  | { kind: 'failure'; code: string; silent: boolean };

/**
 * One c-ares channel for each server, so that the order of servers and the number of attempts are ours:
 * a server that fails, refuses, is silent or lame is followed by the next. Truncated answers are asked for
 * again over TCP by c-ares itself.
 */
export class Wire {
  readonly #channels: Channel[];
  readonly #conf: Pick<ResolvConf, 'attempts' | 'rotate'>;
  #first = 0;
  #closed = false;
  #retired = false;
  #underWay = 0;
  /** Queries sent, repeated ones included. */
  queries = 0;

  /** @throws InvalidArgumentError for a server that is no address */
  constructor(conf: Pick<ResolvConf, 'nameservers' | 'timeout' | 'attempts' | 'rotate'>) {
    this.#conf = conf;
    this.#channels = conf.nameservers.map((server) => new Channel(server, conf.timeout));
  }

  /** True while queries are under way. */
  get busy(): boolean {
    return this.#underWay > 0;
  }

  /**
   * `done` is called once, later, whatever happens; after {@link close} with ECANCELLED. Once nobody wants
   * the answer any more (`wanted`), no other server is asked.
   */
  query<T>(
    method: Method,
    name: string,
    wanted: () => boolean,
    done: (answer: Answer<T>) => void,
  ): void {
    const count = this.#channels.length;
    const first = this.#first;
    if (this.#conf.rotate) this.#first = (this.#first + 1) % count;
    let tried = 0;
    let silent = false;
    /** What a lame server has said: that there is nothing counts if no other server says anything. */
    let empty: 'ENOTFOUND' | 'ENODATA' | undefined;
    this.#underWay++;
    const end = (answer: Answer<T>) => {
      if (--this.#underWay === 0 && this.#retired) this.close();
      done(answer);
    };
    const next = () => {
      const channel = this.#channels[(first + tried++) % count] as Channel;
      const goOn = (code: string) => {
        if (!this.#closed && wanted() && tried < count * this.#conf.attempts) next();
        else if (empty && !this.#closed) end({ kind: 'none', code: empty });
        else end({ kind: 'failure', code: this.#closed ? 'ECANCELLED' : code, silent });
      };
      const callback: Callback = (error, records) => {
        const code = error?.code ?? 'EAI_FAIL';
        if (!error) end({ kind: 'records', records: records as T });
        else if (code === 'ENODATA' || code === 'ENOTFOUND') {
          const none = { kind: 'none', code } as const;
          // c-ares tells these apart only for records.
          const maybeLame = code === 'ENODATA' || method === 'reverse';
          if (!maybeLame || count === 1 || channel.recursive) {
            end(none);
            return;
          }
          this.queries++;
          channel.isLame(...questionOf(method, name), (lame) => {
            if (!lame && !this.#closed) end(none);
            else {
              empty = code;
              goOn(code);
            }
          });
        } else {
          silent ||= code === 'ETIMEOUT';
          goOn(code);
        }
      };
      this.queries++;
      channel.query(method, name, callback);
    };
    next();
  }

  /** Takes no more queries, and closes when those under way have ended. */
  retire(): void {
    this.#retired = true;
    if (this.#underWay === 0) this.close();
  }

  close(): void {
    this.#closed = true;
    for (const channel of this.#channels) channel.close();
  }
}
