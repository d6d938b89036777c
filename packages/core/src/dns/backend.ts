/** What every resolver can do; each kind says how it finds addresses and records. */
import dns, {
  ADDRCONFIG,
  ALL,
  type AnyRecord,
  type CaaRecord,
  type LookupAddress,
  type LookupOptions,
  type MxRecord,
  type NaptrRecord,
  type SoaRecord,
  type SrvRecord,
  V4MAPPED,
} from 'node:dns';
import { isIP } from 'node:net';
import { InvalidArgumentError, NotInGreenletError, UnsupportedError } from '../errors.js';
import { hub } from '../hub/hub.js';
import { park } from '../hub/park.js';
import { snapshotContext } from '../loop/async-context.js';
import { localAddresses } from './address-order.js';
import type { HostAddress } from './hosts.js';
import { numericHost } from './names.js';
import { resolverError } from './resolver-error.js';
import { parseServices } from './services.js';
import { WatchedFile } from './watched-file.js';

// Node's own, whatever monkey patching puts in its place later.
const { lookup: nodeLookup } = dns;

/** Flags of getaddrinfo(3); the last three are those of node:dns. */
export const AI_PASSIVE = 0x1;
export const AI_CANONNAME = 0x2;
export const AI_NUMERICHOST = 0x4;
export const AI_NUMERICSERV = 0x400;
export const AI_V4MAPPED = V4MAPPED;
export const AI_ALL = ALL;
export const AI_ADDRCONFIG = ADDRCONFIG;

export type Family = 0 | 4 | 6;

export interface AddressInfo {
  family: 4 | 6;
  address: string;
  port: number;
  /** With AI_CANONNAME, on the first one: the name that the addresses belong to. */
  canonname?: string;
}

export interface GetaddrinfoOptions {
  /** 0, the default: both. */
  family?: Family;
  /** AI_ flags, or-ed. */
  hints?: number;
  /** For service names: default tcp. */
  protocol?: 'tcp' | 'udp';
}

export interface HostInfo {
  name: string;
  aliases: string[];
  addresses: string[];
}

export type RecordType =
  | 'A'
  | 'AAAA'
  | 'ANY'
  | 'CAA'
  | 'CNAME'
  | 'MX'
  | 'NAPTR'
  | 'NS'
  | 'PTR'
  | 'SOA'
  | 'SRV'
  | 'TLSA'
  | 'TXT';

/** With `{ ttl: true }`. */
export interface AddressRecord {
  address: string;
  /** Seconds. */
  ttl: number;
}

/** A certificate that belongs to a service (RFC 6698). */
export interface TlsaRecord {
  certUsage: number;
  selector: number;
  match: number;
  data: ArrayBuffer;
}

export type Found<T> = (error: Error | undefined, value?: T) => void;

export type LookupCallback = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  family?: number,
) => void;

const families: Record<string, Family> = { IPv4: 4, IPv6: 6 };

function familyOf(family: unknown): Family {
  const value = typeof family === 'string' ? families[family] : (family ?? 0);
  if (value === 0 || value === 4 || value === 6) return value;
  throw new InvalidArgumentError('family', "0, 4, 6, 'IPv4' or 'IPv6'", family);
}

/** Addresses in the order that `order` of dns.lookup asks for; ours is that of RFC 6724. */
function inOrder(addresses: HostAddress[], order: string | undefined): HostAddress[] {
  if (order !== 'ipv4first' && order !== 'ipv6first') return addresses;
  const first = order === 'ipv4first' ? 4 : 6;
  return [
    ...addresses.filter(({ family }) => family === first),
    ...addresses.filter(({ family }) => family !== first),
  ];
}

export abstract class ResolverBackend implements Disposable {
  #services: WatchedFile<Map<string, number>> | undefined;
  /** services(5). */
  protected servicesFile = '/etc/services';

  // These never call back before they return. What they return, if anything, gives the search up.

  /** Finds the addresses of a name that is no address, best first. */
  protected abstract find(
    host: string,
    family: Family,
    found: Found<HostAddress[]>,
  ): (() => void) | void;
  /** With `ttl` addresses come as {@link AddressRecord}. */
  protected abstract findRecords(
    name: string,
    type: RecordType,
    found: Found<unknown>,
    ttl?: boolean,
  ): (() => void) | void;
  protected abstract findNames(address: string, found: Found<string[]>): (() => void) | void;
  /** Counters; which ones depends on the kind. */
  abstract statistics(): Record<string, number>;
  /** Gives up what is under way: those who wait get ECANCELLED. */
  abstract close(): void;

  [Symbol.dispose](): void {
    this.close();
  }

  // ---------------------------------------------------------------- dns.lookup

  /**
   * `dns.lookup` of Node: the same options and results. Give it to net, http agents, undici and
   * drivers as their `lookup` option; it works in and outside greenlets. Names that cannot be found are
   * errors of the callback, which runs in the AsyncLocalStorage context of this call.
   * @throws InvalidArgumentError as Node does, for arguments that are none
   */
  readonly lookup = (
    hostname: string,
    options: LookupOptions | number | LookupCallback | null | undefined,
    callback?: LookupCallback,
  ): void => {
    const done = (typeof options === 'function' ? options : callback) as LookupCallback;
    if (typeof done !== 'function')
      throw new InvalidArgumentError('callback', 'a function', callback);
    const given: LookupOptions =
      typeof options === 'number'
        ? { family: options }
        : typeof options === 'object' && options
          ? options
          : {};
    const family = familyOf(given.family);
    if (typeof hostname !== 'string' && hostname)
      throw new InvalidArgumentError('hostname', 'a string', hostname);
    if (!hostname) {
      // Older Nodes call back with nothing, newer ones throw.
      nodeLookup(hostname, given, done as never);
      return;
    }
    const found: Found<HostAddress[]> = (error, addresses = []) => {
      if (error) {
        done(error as NodeJS.ErrnoException, given.all ? [] : '', 0);
        return;
      }
      const sorted = inOrder(addresses, given.order);
      if (given.all)
        done(
          null,
          sorted.map(({ address, family }) => ({ address, family })),
        );
      else done(null, sorted[0]?.address ?? '', sorted[0]?.family);
    };
    // Several who ask the same are one query, which runs in the context of the first.
    this.#addresses(hostname, family, given.hints ?? 0, inThisContext(found));
  };

  /**
   * {@link resolve} with a callback, which is never called before this returns: in and outside greenlets, and
   * in the AsyncLocalStorage context of this call.
   */
  query(name: string, type: RecordType, callback: Found<unknown>): void {
    this.findRecords(name, type, inThisContext(callback));
  }

  /** {@link reverse} with a callback, likewise. */
  queryNames(address: string, callback: Found<string[]>): void {
    this.findNames(address, inThisContext(callback));
  }

  // --------------------------------------------------------------- getaddrinfo

  /**
   * Addresses of a host, best first (getaddrinfo(3)). Parks.
   *
   * @param host a name or an address; null is this machine, with AI_PASSIVE all of its addresses
   * @param port a number, a digit string, or the name of a service
   * @throws an error with `code` ENOTFOUND, EAI_AGAIN, EAI_ADDRFAMILY or EAI_SERVICE, `syscall` and `hostname`
   */
  getaddrinfo(
    host: string | null,
    port?: number | string | null,
    options: GetaddrinfoOptions = {},
  ): AddressInfo[] {
    return this.#getaddrinfo('getaddrinfo()', host, port, options);
  }

  /** `call`: what the user has called. */
  #getaddrinfo(
    call: string,
    host: string | null,
    port: number | string | null | undefined,
    options: GetaddrinfoOptions,
  ): AddressInfo[] {
    const { hints = 0, protocol = 'tcp' } = options;
    const family = familyOf(options.family);
    const number = this.#port(port ?? 0, hints, protocol, host ?? '');
    const addresses =
      host === null
        ? thisMachine(family, (hints & AI_PASSIVE) !== 0)
        : this.#parkFor<HostAddress[]>(call, (found) =>
            this.#addresses(host, family, hints, found),
          );
    const infos: AddressInfo[] = addresses.map(({ address, family }) => ({
      family,
      address,
      port: number,
    }));
    if (hints & AI_CANONNAME && infos[0] && host !== null) infos[0].canonname = host.toLowerCase();
    return infos;
  }

  #port(port: number | string, hints: number, protocol: string, host: string): number {
    const number = typeof port === 'number' || /^\d+$/.test(port) ? Number(port) : undefined;
    if (number === undefined) {
      this.#services ??= new WatchedFile(this.servicesFile, parseServices);
      const known =
        hints & AI_NUMERICSERV ? undefined : this.#services.get().get(`${port}/${protocol}`);
      if (known === undefined) throw resolverError('EAI_SERVICE', 'getaddrinfo', host);
      return known;
    }
    if (Number.isInteger(number) && number >= 0 && number <= 65_535) return number;
    throw new InvalidArgumentError('port', 'from 0 to 65535, or the name of a service', port);
  }

  #addresses(
    host: string,
    family: Family,
    hints: number,
    found: Found<HostAddress[]>,
  ): (() => void) | void {
    const numeric = numericHost(host);
    if (numeric) {
      const fits = family === 0 || numeric.family === family;
      const mapped = family === 6 && (hints & AI_V4MAPPED) !== 0;
      if (fits) process.nextTick(found, undefined, [numeric]);
      else if (mapped) process.nextTick(found, undefined, [toMapped(numeric)]);
      else process.nextTick(found, resolverError('EAI_ADDRFAMILY', 'getaddrinfo', host));
      return;
    }
    if (hints & AI_NUMERICHOST) {
      process.nextTick(found, resolverError('ENOTFOUND', 'getaddrinfo', host));
      return;
    }
    const wanted = hints & AI_ADDRCONFIG ? configured(family) : family;
    if (wanted === undefined) {
      process.nextTick(found, resolverError('ENOTFOUND', 'getaddrinfo', host));
      return;
    }
    if (family !== 6 || !(hints & AI_V4MAPPED)) {
      return this.find(host, wanted, found);
    }
    // IPv4 as IPv6: when there is none of the latter, or with AI_ALL beside it.
    return this.find(host, 0, (error, all = []) => {
      const six = all.filter((one) => one.family === 6);
      const four = all.filter((one) => one.family === 4).map(toMapped);
      found(error, six.length > 0 && !(hints & AI_ALL) ? six : [...six, ...four]);
    });
  }

  /** The first IPv4 address of a name (gethostbyname(3)). Parks. */
  gethostbyname(host: string): string {
    const [first] = this.#getaddrinfo('gethostbyname()', host, 0, { family: 4 });
    return (first as AddressInfo).address;
  }

  /** The names of an address (gethostbyaddr(3)): from the hosts file, or PTR records. Parks. */
  gethostbyaddr(address: string): HostInfo {
    const [name = '', ...aliases] = this.#names('gethostbyaddr()', address);
    return { name, aliases, addresses: [address] };
  }

  /** The names of an address, as dns.reverse. Parks. */
  reverse(address: string): string[] {
    return this.#names('reverse()', address);
  }

  #names(call: string, address: string): string[] {
    if (isIP(address) === 0)
      throw new InvalidArgumentError('address', 'an IPv4 or IPv6 address', address);
    return this.#parkFor<string[]>(call, (found) => this.findNames(address, found));
  }

  // ------------------------------------------------------------------- records
  // As the functions of node:dns of the same names, with values in place of callbacks. All park.

  /**
   * Records of one type, as dns.resolve.
   * @throws an error with `code` ENOTFOUND, ENODATA, ESERVFAIL, ETIMEOUT …, `syscall` and `hostname`
   */
  resolve<T = unknown>(name: string, type: RecordType = 'A'): T {
    return this.#records<T>('resolve()', name, type);
  }

  resolve4(name: string, options?: { ttl?: false }): string[];
  resolve4(name: string, options: { ttl: true }): AddressRecord[];
  resolve4(name: string, options?: { ttl?: boolean }): string[] | AddressRecord[];
  resolve4(name: string, options?: { ttl?: boolean }): string[] | AddressRecord[] {
    return this.#records('resolve4()', name, 'A', options?.ttl);
  }

  resolve6(name: string, options?: { ttl?: false }): string[];
  resolve6(name: string, options: { ttl: true }): AddressRecord[];
  resolve6(name: string, options?: { ttl?: boolean }): string[] | AddressRecord[];
  resolve6(name: string, options?: { ttl?: boolean }): string[] | AddressRecord[] {
    return this.#records('resolve6()', name, 'AAAA', options?.ttl);
  }

  resolveAny(name: string): AnyRecord[] {
    return this.#records('resolveAny()', name, 'ANY');
  }
  resolveCaa(name: string): CaaRecord[] {
    return this.#records('resolveCaa()', name, 'CAA');
  }
  resolveCname(name: string): string[] {
    return this.#records('resolveCname()', name, 'CNAME');
  }
  resolveMx(name: string): MxRecord[] {
    return this.#records('resolveMx()', name, 'MX');
  }
  resolveNaptr(name: string): NaptrRecord[] {
    return this.#records('resolveNaptr()', name, 'NAPTR');
  }
  resolveNs(name: string): string[] {
    return this.#records('resolveNs()', name, 'NS');
  }
  resolvePtr(name: string): string[] {
    return this.#records('resolvePtr()', name, 'PTR');
  }
  resolveSoa(name: string): SoaRecord {
    return this.#records('resolveSoa()', name, 'SOA');
  }
  resolveSrv(name: string): SrvRecord[] {
    return this.#records('resolveSrv()', name, 'SRV');
  }
  /** @throws UnsupportedError before Node 22.15, whose c-ares does not know them */
  resolveTlsa(name: string): TlsaRecord[] {
    if (!('resolveTlsa' in dns)) throw new UnsupportedError('resolveTlsa()', 'Node 22.15 or later');
    return this.#records('resolveTlsa()', name, 'TLSA');
  }
  resolveTxt(name: string): string[][] {
    return this.#records('resolveTxt()', name, 'TXT');
  }

  #records<T>(call: string, name: string, type: RecordType, ttl = false): T {
    if (typeof name !== 'string') throw new InvalidArgumentError('name', 'a string', name);
    return this.#parkFor<T>(call, (found) =>
      this.findRecords(name, type, found as Found<unknown>, ttl),
    );
  }

  #parkFor<T>(call: string, start: (found: Found<T>) => (() => void) | void): T {
    if (!hub.current) throw new NotInGreenletError(call);
    return park<T>((resume) =>
      start((error, value) => (error ? resume.error(error) : resume(value as T))),
    );
  }
}

/** Calls back in the AsyncLocalStorage context of whoever asks for this. */
function inThisContext<T>(found: Found<T>): Found<T> {
  const run = snapshotContext();
  return (error, value) => run(() => found(error, value));
}

function thisMachine(family: Family, passive: boolean): HostAddress[] {
  const both: HostAddress[] = passive
    ? [
        { address: '0.0.0.0', family: 4 },
        { address: '::', family: 6 },
      ]
    : [
        { address: '::1', family: 6 },
        { address: '127.0.0.1', family: 4 },
      ];
  return both.filter((one) => family === 0 || one.family === family);
}

function toMapped({ address }: HostAddress): HostAddress {
  return { address: `::ffff:${address}`, family: 6 };
}

/** The families that an interface other than loopback has; undefined if that leaves none. */
function configured(family: Family): Family | undefined {
  const present = localAddresses().filter(({ internal }) => !internal);
  const has = (wanted: 4 | 6) =>
    present.some(({ address }) => isIP(address.split('%')[0] ?? '') === wanted);
  if (family !== 0) return has(family) ? family : undefined;
  if (has(4) === has(6)) return 0; // both, or loopback only: no reason to leave one out
  return has(4) ? 4 : 6;
}
