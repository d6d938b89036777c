/**
 * AresResolver: hosts file, search list, cache and choice of servers here, packets by c-ares. Never
 * uses libuv's thread pool.
 *
 *     name -> localhost? -> nsswitch order: hosts file -> candidates -> A and AAAA -> cache -> wire
 */

import { InvalidArgumentError } from '../errors.js';
import { hub } from '../hub/hub.js';
import {
  addressBytes,
  isLoopback,
  type LocalAddress,
  localAddresses,
  orderAddresses,
} from './address-order.js';
import { type Family, type Found, type RecordType, ResolverBackend } from './backend.js';
import type { CacheOptions } from './cache.js';
import { type HostAddress, type Hosts, parseHosts } from './hosts.js';
import { candidates, isLocalhost, normalizeName } from './names.js';
import { parseNsswitch, type Source } from './nsswitch.js';
import { addressesOfOwnName, namesOfOwnAddress } from './own-names.js';
import { Queries } from './queries.js';
import { methodOf } from './questions.js';
import { parseResolvConf, type ResolvConf } from './resolv-conf.js';
import { resolverError } from './resolver-error.js';
import { type Ask, notFound, type Outcome, search } from './search.js';
import { parseServer } from './server-address.js';
import { WatchedFile } from './watched-file.js';
import type { Answer } from './wire.js';

export interface AresOptions {
  /** Default /etc/hosts. */
  hostsFile?: string;
  /** Default /etc/resolv.conf. */
  resolvConf?: string;
  /** Default /etc/nsswitch.conf. */
  nsswitch?: string;
  /** Default /etc/services. */
  servicesFile?: string;
  /** Servers in place of the file's: addresses, with a port if it is not 53 ('127.0.0.1:5353', '[fe80::1%eth0]:5353'). */
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
  readonly #queries: Queries;
  /** Whole lookups of the last second. */
  readonly #recent = new Map<string, { addresses: readonly HostAddress[]; until: number }>();
  readonly #remembers: boolean;
  readonly #counts = { hostsHits: 0, failures: 0 };
  #local: LocalAddress[] = [];
  #localUntil = Number.NEGATIVE_INFINITY;
  #closed = false;

  /** @throws InvalidArgumentError: nothing that is wrong with the options comes out of a lookup */
  constructor(options: AresOptions = {}) {
    super();
    const overrides = checkOptions(options);
    this.#hosts = new WatchedFile(options.hostsFile ?? '/etc/hosts', parseHosts);
    this.#conf = new WatchedFile(options.resolvConf ?? '/etc/resolv.conf', (text) => ({
      ...parseResolvConf(text, process.env),
      ...overrides,
    }));
    this.#order = new WatchedFile(options.nsswitch ?? '/etc/nsswitch.conf', parseNsswitch);
    if (options.servicesFile) this.servicesFile = options.servicesFile;
    this.#remembers = options.cache !== false;
    this.#queries = new Queries(() => this.#conf.get(), options.cache);
  }

  // ----------------------------------------------------------------- addresses

  protected override find(host: string, family: Family, found: Found<HostAddress[]>): () => void {
    const key = `${family} ${host}`;
    const recent = this.#recent.get(key);
    if (recent && recent.until > hub.clock.now()) {
      this.#queries.counts.cacheHits++;
      return later(() => found(undefined, [...recent.addresses]));
    }
    return this.#search(host, family, ({ status, code, addresses, forOneUse }) => {
      if (status !== 'success') {
        found(resolverError(code, 'getaddrinfo', host));
        return;
      }
      const sorted = this.#sorted(addresses);
      if (!forOneUse) this.#remember(key, sorted);
      found(undefined, sorted);
    });
  }

  // The files are looked at once a second: so long the outcome of the whole search stays the same.
  #remember(key: string, addresses: readonly HostAddress[]): void {
    if (!this.#remembers || this.#closed) return;
    if (this.#recent.size >= maxRecent) this.#recent.clear();
    this.#recent.set(key, { addresses: [...addresses], until: hub.clock.now() + recentTime });
  }

  #search(host: string, family: Family, done: (outcome: Outcome) => void): () => void {
    const name = normalizeName(host);
    if (this.#closed) return later(() => done({ ...notFound, code: 'ECANCELLED' }));
    if (name === undefined) return later(() => done(notFound));
    if (isLocalhost(name)) return later(() => done(known(this.#localhost(name, family))));
    return this.#trySources(host.endsWith('.') ? `${name}.` : name, family, done);
  }

  // Always loopback (RFC 6761, section 6.3): those that the hosts file has, if it has any of the family.
  #localhost(name: string, family: Family): HostAddress[] {
    const listed = this.#hosts.get().byName.get(name) ?? [];
    const loopback = ofFamily(listed, family).filter(isLoopback);
    return loopback.length > 0 ? loopback : ofFamily(localhost, family);
  }

  /** Goes through the sources as nsswitch.conf says. Returns the abort. */
  #trySources(name: string, family: Family, done: (outcome: Outcome) => void): () => void {
    const sources = this.#order.get();
    let abort = () => {};
    const next = (index: number, last: Outcome) => {
      const source = sources[index];
      if (source?.name === 'dns') {
        abort = this.#ask(name, family, (outcome) => {
          const final = outcome.status === 'success' || source.actions[outcome.status] === 'return';
          if (final) done(outcome);
          else next(index + 1, outcome);
        });
        return;
      }
      const found = source && this.#look(source, name.replace(/\.$/, ''), family);
      if (found) abort = later(() => done(found));
      else if (source?.actions.notfound === 'continue') next(index + 1, last);
      else abort = later(() => done(last));
    };
    next(0, notFound);
    return () => abort();
  }

  /** In a source that needs no server; undefined: it does not know the name. */
  #look(source: Source, name: string, family: Family): Outcome | undefined {
    if (source.name === 'myhostname') {
      const own = addressesOfOwnName(name, family);
      return own && known(own);
    }
    const listed = this.#hosts.get().byName.get(name);
    if (!listed) return undefined;
    this.#counts.hostsHits++;
    // A name of the hosts file is that file's alone: a family that it lacks there does not exist
    // (gevent's issues 699 and 1012).
    const fitting = ofFamily(listed, family);
    return fitting.length > 0 ? known(fitting) : notFound;
  }

  /** Asks the servers, by the search list. Returns the abort. */
  #ask(name: string, family: Family, done: (outcome: Outcome) => void): () => void {
    const conf = this.#conf.get();
    const names = candidates(name, conf.search, conf.ndots);
    const types: (4 | 6)[] = family !== 0 ? [family] : conf.noAaaa ? [4] : [4, 6];
    const ask: Ask = (candidate, type, answered) =>
      this.#queries.addresses(candidate, type, answered);
    return search(names, types, names[0] === name.replace(/\.$/, ''), ask, (outcome) => {
      if (outcome.status === 'tryagain') this.#counts.failures++;
      done(outcome);
    });
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

  protected override findRecords(
    host: string,
    type: RecordType,
    found: Found<unknown>,
    ttl = false,
  ): () => void {
    const syscall = `query${type[0]}${type.slice(1).toLowerCase()}`;
    const name = normalizeName(host);
    const fail = (code: string) => found(resolverError(code, syscall, host));
    if (name === undefined) return later(() => fail('ENOTFOUND'));
    if (this.#closed) return later(() => fail('ECANCELLED'));
    const answered = (answer: Answer<unknown>) => {
      if (answer.kind === 'records') found(undefined, answer.records);
      else fail(answer.code);
    };
    if (type !== 'A' && type !== 'AAAA')
      return this.#queries.records(methodOf(type), name, answered);
    if (ttl) return this.#queries.withTtl(name, type, answered);
    return this.#queries.addresses(name, type === 'A' ? 4 : 6, (answer) => {
      if (answer.kind === 'records')
        found(
          undefined,
          answer.records.map((one) => one.address),
        );
      else fail(answer.code);
    });
  }

  protected override findNames(address: string, found: Found<string[]>): () => void {
    const entry =
      this.#hosts.get().byAddress.get(address.toLowerCase()) ?? this.#sameAddress(address);
    if (entry) {
      this.#counts.hostsHits++;
      return later(() => found(undefined, [entry.name, ...entry.aliases]));
    }
    const fail = (code: string) => found(resolverError(code, 'getHostByAddr', address));
    if (this.#closed) return later(() => fail('ECANCELLED'));
    return this.#queries.records<string[]>('reverse', address, (answer) => {
      const own = this.#order.get().some(({ name }) => name === 'myhostname');
      const names = answer.kind === 'records' ? answer.records : own && namesOfOwnAddress(address);
      if (names) found(undefined, names);
      else if (answer.kind !== 'records') fail(answer.code);
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

  /** The servers that are asked: those of the options, else of resolv.conf. */
  getServers(): string[] {
    return [...this.#conf.get().nameservers];
  }

  /** `queries` were sent to servers; the others say what made one unnecessary, or why it failed. */
  override statistics() {
    return { ...this.#queries.statistics(), ...this.#counts };
  }

  clearCache(): void {
    this.#recent.clear();
    this.#queries.clearCache();
  }

  override close(): void {
    this.#closed = true;
    this.#queries.close();
    this.clearCache();
  }
}

function ofFamily(addresses: readonly HostAddress[], family: Family): HostAddress[] {
  return family === 0 ? [...addresses] : addresses.filter((one) => one.family === family);
}

function known(addresses: readonly HostAddress[]): Outcome {
  return { status: 'success', code: '', addresses, forOneUse: false };
}

/** Nobody is called back before the call returns. Returns the abort. */
function later(call: () => void): () => void {
  let wanted = true;
  process.nextTick(() => {
    if (wanted) call();
  });
  return () => {
    wanted = false;
  };
}

/** What stands in place of the file's. @throws InvalidArgumentError */
function checkOptions(options: AresOptions): Partial<ResolvConf> {
  const { servers, search, ndots, timeout, attempts, rotate } = options;
  const whole = (name: string, value: number | undefined, from: number, to = 2 ** 31 - 1) => {
    if (value !== undefined && !(Number.isInteger(value) && value >= from && value <= to))
      throw new InvalidArgumentError(name, `a whole number from ${from} to ${to}`, value);
  };
  whole('timeout', timeout, 1);
  whole('attempts', attempts, 1);
  whole('ndots', ndots, 0);
  if (servers?.length === 0) throw new InvalidArgumentError('servers', 'one at least', servers);
  for (const server of servers ?? []) parseServer(server);
  const given = { nameservers: servers, search, ndots, timeout, attempts, rotate };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
