/**
 * AresResolver: hosts file, search list, cache and choice of servers here, packets by c-ares. Never
 * uses libuv's thread pool.
 *
 *     name -> localhost? -> nsswitch order: hosts file -> candidates -> A and AAAA -> cache -> wire
 */

import { hub } from '../hub/hub.js';
import {
  addressBytes,
  isLoopback,
  type LocalAddress,
  localAddresses,
  orderAddresses,
} from './address-order.js';
import { type Family, type Found, type RecordType, ResolverBackend } from './backend.js';
import { Cache, type CacheOptions } from './cache.js';
import { type HostAddress, type Hosts, parseHosts } from './hosts.js';
import { candidates, isLocalhost, normalizeName } from './names.js';
import { parseNsswitch, type Source, type Status } from './nsswitch.js';
import { parseResolvConf, type ResolvConf } from './resolv-conf.js';
import { resolverError } from './resolver-error.js';
import { WatchedFile } from './watched-file.js';
import { type Answer, Wire } from './wire.js';

export interface AresOptions {
  /** Default /etc/hosts. */
  hostsFile?: string;
  /** Default /etc/resolv.conf. */
  resolvConf?: string;
  /** Default /etc/nsswitch.conf. */
  nsswitch?: string;
  /** Default /etc/services. */
  servicesFile?: string;
  /** Servers in place of the file's: addresses, with a port if it is not 53 ('127.0.0.1:5353'). */
  servers?: string[];
  /** Domains to search, and so on: in place of the file's. */
  search?: string[];
  ndots?: number;
  /** Milliseconds for one query to one server. */
  timeout?: number;
  attempts?: number;
  rotate?: boolean;
  /** False: every lookup asks a server. */
  cache?: CacheOptions | false;
}

interface Record {
  address: string;
  ttl: number;
}

type Records = Answer<HostAddress[]>;

/** Answers with a TTL of 0 are for one use only (RFC 1035, section 3.2.1). */
const forOneUse = new WeakSet<object>();

/** Milliseconds, and how many. */
const recentTime = 1000;
const maxRecent = 10_000;

const localhost: HostAddress[] = [
  { address: '::1', family: 6 },
  { address: '127.0.0.1', family: 4 },
];

export class AresResolver extends ResolverBackend {
  readonly #hosts: WatchedFile<Hosts>;
  readonly #conf: WatchedFile<ResolvConf>;
  readonly #order: WatchedFile<Source[]>;
  readonly #overrides: Partial<ResolvConf>;
  readonly #cache: Cache<Records>;
  /** Queries under way, and who waits for each. */
  readonly #pending = new Map<string, ((answer: Records) => void)[]>();
  /** Whole lookups of the last second. */
  readonly #recent = new Map<string, { addresses: HostAddress[]; until: number }>();
  readonly #remembers: boolean;
  /** The search that is ending now found an answer for one use. */
  #usedUp = false;
  readonly #counts = { hostsHits: 0, cacheHits: 0, coalesced: 0, staleServed: 0, failures: 0 };
  #wire: Wire | undefined;
  #wireConf: ResolvConf | undefined;
  #queriesBefore = 0;
  #local: LocalAddress[] = [];
  #localUntil = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: AresOptions = {}) {
    super();
    const { servers, search, ndots, timeout, attempts, rotate, cache } = options;
    const given = { nameservers: servers, search, ndots, timeout, attempts, rotate };
    this.#overrides = Object.fromEntries(
      Object.entries(given).filter(([, value]) => value !== undefined),
    );
    this.#hosts = new WatchedFile(options.hostsFile ?? '/etc/hosts', parseHosts);
    this.#conf = new WatchedFile(options.resolvConf ?? '/etc/resolv.conf', (text) => ({
      ...parseResolvConf(text, process.env),
      ...this.#overrides,
    }));
    this.#order = new WatchedFile(options.nsswitch ?? '/etc/nsswitch.conf', parseNsswitch);
    if (options.servicesFile) this.servicesFile = options.servicesFile;
    this.#remembers = cache !== false;
    this.#cache = new Cache(cache === false ? { maxTtl: 0, negativeTtl: 0, staleTtl: 0 } : cache);
  }

  // ----------------------------------------------------------------- addresses

  protected override find(host: string, family: Family, found: Found<HostAddress[]>): void {
    const key = `${family} ${host}`;
    const recent = this.#recent.get(key);
    if (recent && recent.until > hub.clock.now()) {
      this.#counts.cacheHits++;
      process.nextTick(found, undefined, recent.addresses);
      return;
    }
    this.#search(host, family, (error, addresses = []) => {
      if (!error && !this.#usedUp) this.#remember(key, addresses);
      this.#usedUp = false;
      found(error, addresses);
    });
  }

  // The files are looked at once a second: so long the outcome of the whole search stays the same.
  #remember(key: string, addresses: HostAddress[]): void {
    if (!this.#remembers) return;
    if (this.#recent.size >= maxRecent) this.#recent.clear();
    this.#recent.set(key, { addresses, until: hub.clock.now() + recentTime });
  }

  #search(host: string, family: Family, found: Found<HostAddress[]>): void {
    const name = normalizeName(host);
    const fail = (code: string) =>
      process.nextTick(found, resolverError(code, 'getaddrinfo', host));
    if (this.#closed) fail('ECANCELLED');
    else if (name === undefined) fail('ENOTFOUND');
    else if (isLocalhost(name))
      process.nextTick(found, undefined, this.#sorted(this.#localhost(name, family)));
    else {
      const fullName = host.endsWith('.') ? `${name}.` : name;
      this.#trySources(fullName, family, this.#order.get(), 0, 'ENOTFOUND', (code, addresses) => {
        if (code) found(resolverError(code, 'getaddrinfo', host));
        else found(undefined, this.#sorted(addresses));
      });
    }
  }

  // Always loopback (RFC 6761, section 6.3): those that the hosts file has, if it has any of the family.
  #localhost(name: string, family: Family): HostAddress[] {
    const known = this.#hosts.get().byName.get(name) ?? [];
    const loopback = ofFamily(known, family).filter(isLoopback);
    return loopback.length > 0 ? loopback : ofFamily(localhost, family);
  }

  // Goes through the sources as nsswitch.conf says.
  #trySources(
    name: string,
    family: Family,
    sources: Source[],
    index: number,
    code: string,
    found: (code: string | undefined, addresses: HostAddress[]) => void,
  ): void {
    const source = sources[index];
    if (!source) {
      process.nextTick(found, code, []);
      return;
    }
    const after = (status: Status, code: string, addresses: HostAddress[]) => {
      if (status === 'success') found(undefined, addresses);
      else if (source.actions[status] === 'return') found(code, []);
      else this.#trySources(name, family, sources, index + 1, code, found);
    };
    if (source.name === 'dns') {
      this.#ask(name, family, after);
      return;
    }
    const listed = this.#hosts.get().byName.get(name.replace(/\.$/, ''));
    if (!listed) {
      after('notfound', code, []);
      return;
    }
    // A name of the hosts file is that file's alone: a family that it lacks there does not exist
    // (gevent's issues 699 and 1012).
    this.#counts.hostsHits++;
    const fitting = ofFamily(listed, family);
    process.nextTick(found, fitting.length > 0 ? undefined : 'ENOTFOUND', fitting);
  }

  // Goes through the candidates of the search list.
  #ask(
    name: string,
    family: Family,
    after: (status: Status, code: string, addresses: HostAddress[]) => void,
  ): void {
    const conf = this.#conf.get();
    const names = candidates(name, conf.search, conf.ndots);
    const types: (4 | 6)[] = family !== 0 ? [family] : conf.noAaaa ? [4] : [4, 6];
    const tryNext = (index: number) => {
      const candidate = names[index];
      if (candidate === undefined) {
        after('notfound', 'ENOTFOUND', []);
        return;
      }
      const answers: Records[] = [];
      for (const type of types)
        this.#askType(candidate, type, (answer) => {
          answers.push(answer);
          if (answers.length < types.length) return;
          const found = answers.flatMap((one) => (one.kind === 'records' ? [one.records] : []));
          const addresses = found.flat();
          this.#usedUp = found.some((records) => forOneUse.has(records));
          if (addresses.length > 0) after('success', '', addresses);
          else if (answers.some((one) => one.kind === 'failure')) this.#failed(answers, after);
          else tryNext(index + 1);
        });
    };
    tryNext(0);
  }

  #failed(
    answers: Records[],
    after: (status: Status, code: string, addresses: HostAddress[]) => void,
  ): void {
    this.#counts.failures++;
    const cancelled = answers.some((one) => one.kind === 'failure' && one.code === 'ECANCELLED');
    after('tryagain', cancelled ? 'ECANCELLED' : 'EAI_AGAIN', []);
  }

  /** One query of one type: from the cache, together with others that ask the same, or by the wire. */
  #askType(name: string, type: 4 | 6, done: (answer: Records) => void): void {
    const key = `${type} ${name}`;
    const cached = this.#cache.get(key);
    if (cached) {
      this.#counts.cacheHits++;
      process.nextTick(done, cached);
      return;
    }
    const others = this.#pending.get(key);
    if (others) {
      this.#counts.coalesced++;
      others.push(done);
      return;
    }
    const waiting = [done];
    this.#pending.set(key, waiting);
    this.#currentWire().query<Record[]>(type === 4 ? 'resolve4' : 'resolve6', name, (answer) => {
      this.#pending.delete(key);
      const result = this.#keep(key, type, answer);
      for (const one of waiting) one(result);
    });
  }

  #keep(key: string, type: 4 | 6, answer: Answer<Record[]>): Records {
    if (answer.kind === 'records') {
      const records = answer.records.map(({ address }) => ({ address, family: type }));
      const result: Records = { kind: 'records', records };
      const ttl = Math.min(...answer.records.map((record) => record.ttl));
      if (ttl === 0) forOneUse.add(records);
      this.#cache.set(key, result, ttl * 1000);
      return result;
    }
    if (answer.kind === 'none') {
      this.#cache.setNegative(key, answer);
      return answer;
    }
    const stale = this.#closed ? undefined : this.#cache.getStale(key);
    if (stale) this.#counts.staleServed++;
    return stale ?? answer;
  }

  #currentWire(): Wire {
    const conf = this.#conf.get();
    if (!this.#wire || this.#wireConf !== conf) {
      // Queries under way end with the servers that they were sent to.
      this.#queriesBefore += this.#wire?.queries ?? 0;
      this.#wire = new Wire(conf);
      this.#wireConf = conf;
    }
    return this.#wire;
  }

  #sorted(addresses: readonly HostAddress[]): HostAddress[] {
    if (addresses.length < 2) return [...addresses];
    const now = hub.clock.now();
    if (now >= this.#localUntil) {
      this.#local = localAddresses();
      this.#localUntil = now + 1000;
    }
    return orderAddresses(addresses, this.#local);
  }

  // ------------------------------------------------------------------- records

  protected override findRecords(host: string, type: RecordType, found: Found<unknown>): void {
    const syscall = `query${type[0]}${type.slice(1).toLowerCase()}`;
    const name = normalizeName(host);
    if (name === undefined) {
      process.nextTick(found, resolverError('ENOTFOUND', syscall, host));
      return;
    }
    if (type === 'A' || type === 'AAAA') {
      this.#askType(name, type === 'A' ? 4 : 6, (answer) => {
        if (answer.kind === 'records')
          found(
            undefined,
            answer.records.map((one) => one.address),
          );
        else found(resolverError(answer.code, syscall, host));
      });
      return;
    }
    const method = `resolve${type[0]}${type.slice(1).toLowerCase()}` as 'resolveMx';
    this.#currentWire().query<unknown>(method, name, (answer) => {
      if (answer.kind === 'records') found(undefined, answer.records);
      else found(resolverError(answer.code, syscall, host));
    });
  }

  protected override findNames(address: string, found: Found<string[]>): void {
    const entry =
      this.#hosts.get().byAddress.get(address.toLowerCase()) ?? this.#sameAddress(address);
    if (entry) {
      this.#counts.hostsHits++;
      process.nextTick(found, undefined, [entry.name, ...entry.aliases]);
      return;
    }
    this.#currentWire().query<string[]>('reverse', address, (answer) => {
      if (answer.kind === 'records') found(undefined, answer.records);
      else found(resolverError(answer.code, 'getHostByAddr', address));
    });
  }

  // An IPv6 address may be written in several ways.
  #sameAddress(address: string) {
    if (!address.includes(':')) return undefined;
    const wanted = addressBytes(address).join();
    for (const [other, entry] of this.#hosts.get().byAddress)
      if (other.includes(':') && addressBytes(other).join() === wanted) return entry;
    return undefined;
  }

  // --------------------------------------------------------------------- state

  /** `queries` were sent to servers; the others say what made one unnecessary, or why it failed. */
  override statistics() {
    return {
      queries: this.#queriesBefore + (this.#wire?.queries ?? 0),
      pending: this.#pending.size,
      cached: this.#cache.size,
      ...this.#counts,
    };
  }

  clearCache(): void {
    this.#recent.clear();
    this.#cache.clear();
  }

  override close(): void {
    this.#closed = true;
    this.#wire?.close();
    this.clearCache();
  }
}

function ofFamily(addresses: readonly HostAddress[], family: Family): HostAddress[] {
  return family === 0 ? [...addresses] : addresses.filter((one) => one.family === family);
}
