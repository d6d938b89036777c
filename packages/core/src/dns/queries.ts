/** Queries: those of one resolver, from its cache, together with others that ask the same, or by the wire. */
import { withoutContext } from '../loop/async-context.js';
import { Cache, type CacheOptions } from './cache.js';
import type { HostAddress } from './hosts.js';
import { methodOf } from './questions.js';
import type { ResolvConf } from './resolv-conf.js';
import { type Answer, type Method, Wire } from './wire.js';

export type Records = Answer<HostAddress[]>;

export interface RecordWithTtl {
  address: string;
  /** Seconds. */
  ttl: number;
}

/** What Node gives: before Node 24 it hands on the TTLs of the first 256 addresses only. */
interface NodeRecord {
  address: string;
  ttl?: number;
}

/** Those of one set are the same (RFC 2181, section 5.2); after aliases it is the least of all. */
function leastTtl(records: readonly NodeRecord[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (const { ttl } of records) if (ttl !== undefined && ttl < least) least = ttl;
  return Number.isFinite(least) ? least : 0;
}

/** Answers with a TTL of 0 are for one use only (RFC 1035, section 3.2.1). */
const forOneUse = new WeakSet<object>();

export function isForOneUse(answer: Records): boolean {
  return answer.kind === 'records' && forOneUse.has(answer.records);
}

type Done = (answer: Records) => void;

export class Queries {
  readonly #conf: () => ResolvConf;
  readonly #cache: Cache<Records>;
  /** Queries under way, and who waits for each. */
  #pending = new Map<string, Set<Done>>();
  #wire: Wire | undefined;
  #wireConf: ResolvConf | undefined;
  /** Those of the network before, while they have queries under way. */
  readonly #retired = new Set<Wire>();
  #queriesBefore = 0;
  #closed = false;
  readonly counts = { cacheHits: 0, coalesced: 0, staleServed: 0 };

  constructor(conf: () => ResolvConf, cache: CacheOptions | false | undefined) {
    this.#conf = conf;
    this.#cache = new Cache(cache === false ? { maxTtl: 0, negativeTtl: 0, staleTtl: 0 } : cache);
  }

  /**
   * The addresses of a name, exactly as it is. `done` is called once, later, by nobody else's code.
   * @returns drops the caller: when nobody waits any more, no other server is asked
   */
  addresses(name: string, type: 4 | 6, done: Done): () => void {
    const wire = this.wire();
    const key = `${type} ${name}`;
    const cached = this.#cache.get(key);
    if (cached) {
      this.counts.cacheHits++;
      return later(done, cached);
    }
    const pending = this.#pending;
    let waiting = pending.get(key);
    if (waiting) this.counts.coalesced++;
    else {
      const those = new Set<Done>();
      waiting = those;
      pending.set(key, those);
      const wanted = () => those.size > 0;
      wire.query<NodeRecord[]>(methodOf(type === 4 ? 'A' : 'AAAA'), name, wanted, (answer) => {
        pending.delete(key);
        const result = this.#keep(wire, key, type, answer);
        // Each in a turn of its own: what one of them throws must not keep it from the others.
        for (const one of those) process.nextTick(deliver, those, one, result);
      });
    }
    const those = waiting;
    // Its own entry, should one function ask twice.
    const mine: Done = (answer) => done(answer);
    those.add(mine);
    return () => those.delete(mine);
  }

  #keep(wire: Wire, key: string, type: 4 | 6, answer: Answer<NodeRecord[]>): Records {
    // An answer of another network's servers is for those who asked them, and nobody after them.
    const here = wire === this.#wire;
    if (answer.kind === 'records') {
      const records = answer.records.map(({ address }) => ({ address, family: type }));
      const result: Records = { kind: 'records', records };
      const ttl = leastTtl(answer.records);
      if (ttl === 0 || !here) forOneUse.add(records);
      if (here) this.#cache.set(key, result, ttl * 1000);
      return result;
    }
    if (answer.kind === 'none') {
      if (here) this.#cache.setNegative(key, answer);
      return answer;
    }
    const stale = this.#closed || !here ? undefined : this.#cache.getStale(key);
    if (stale) this.counts.staleServed++;
    return stale ?? answer;
  }

  /** Addresses with their TTLs, which the servers are asked for. */
  withTtl(
    name: string,
    type: 'A' | 'AAAA',
    done: (answer: Answer<RecordWithTtl[]>) => void,
  ): () => void {
    return this.records<NodeRecord[]>(methodOf(type), name, (answer) => {
      if (answer.kind !== 'records') {
        done(answer);
        return;
      }
      const least = leastTtl(answer.records);
      const records = answer.records.map(({ address, ttl = least }) => ({ address, ttl }));
      done({ kind: 'records', records });
    });
  }

  /** Records that are not kept. Like {@link addresses} in all else. */
  records<T>(method: Method, name: string, done: (answer: Answer<T>) => void): () => void {
    let wanted = true;
    this.wire().query<T>(
      method,
      name,
      () => wanted,
      (answer) => {
        if (wanted) done(answer);
      },
    );
    return () => {
      wanted = false;
    };
  }

  /**
   * That of the servers of this moment. When they change, the machine is in another network: what the
   * servers before have said, or have not said, counts no more.
   */
  wire(): Wire {
    const conf = this.#conf();
    if (this.#wire && this.#wireConf === conf) return this.#wire;
    const before = this.#wire;
    // It outlives whoever asks first.
    this.#wire = withoutContext(() => new Wire(conf));
    this.#wireConf = conf;
    if (before) {
      this.#queriesBefore += before.queries;
      this.#pending = new Map();
      this.clearCache();
      before.retire();
      for (const wire of this.#retired) if (!wire.busy) this.#retired.delete(wire);
      if (before.busy) this.#retired.add(before);
    }
    return this.#wire;
  }

  statistics() {
    return {
      queries: this.#queriesBefore + (this.#wire?.queries ?? 0),
      pending: this.#pending.size,
      cached: this.#cache.size,
      ...this.counts,
    };
  }

  clearCache(): void {
    this.#cache.clear();
  }

  close(): void {
    this.#closed = true;
    this.#wire?.close();
    for (const wire of this.#retired) wire.close();
    this.clearCache();
  }
}

function later(done: Done, answer: Records): () => void {
  let wanted = true;
  process.nextTick(() => {
    if (wanted) done(answer);
  });
  return () => {
    wanted = false;
  };
}

/** Unless it has left meanwhile. */
function deliver(waiting: Set<Done>, done: Done, answer: Records): void {
  if (waiting.delete(done)) done(answer);
}
