/**
 * Name resolution beside libuv's thread pool.
 * @module
 */
import { InvalidArgumentError } from '../errors.js';
import { config } from '../hub/config.js';
import { AresResolver } from './ares-resolver.js';
import {
  type AddressInfo,
  type GetaddrinfoOptions,
  type HostInfo,
  type RecordType,
  ResolverBackend,
} from './backend.js';
import { BlockingResolver, ThreadResolver } from './system-resolvers.js';

export { type AresOptions, AresResolver } from './ares-resolver.js';
export {
  type AddressInfo,
  type AddressRecord,
  AI_ADDRCONFIG,
  AI_ALL,
  AI_CANONNAME,
  AI_NUMERICHOST,
  AI_NUMERICSERV,
  AI_PASSIVE,
  AI_V4MAPPED,
  type Family,
  type GetaddrinfoOptions,
  type HostInfo,
  type LookupCallback,
  type RecordType,
  ResolverBackend,
  type TlsaRecord,
} from './backend.js';
export type { CacheOptions } from './cache.js';
export type { ResolverError } from './resolver-error.js';
export { BlockingResolver, ThreadResolver } from './system-resolvers.js';

const kinds = { ares: AresResolver, thread: ThreadResolver, blocking: BlockingResolver };

let chosen: unknown;
let current: ResolverBackend | undefined;

/**
 * The resolver of this thread: `config.resolver`, else the environment's TENDRIL_RESOLVER, else
 * `ares`. A later change of the setting counts from the next call on.
 * @throws InvalidArgumentError for a kind that does not exist
 */
export function getResolver(): ResolverBackend {
  const wanted = config.resolver ?? process.env.TENDRIL_RESOLVER ?? 'ares';
  if (current && wanted === chosen) return current;
  if (wanted instanceof ResolverBackend) current = wanted;
  else {
    const kind = Object.hasOwn(kinds, String(wanted))
      ? kinds[wanted as keyof typeof kinds]
      : undefined;
    if (!kind)
      throw new InvalidArgumentError(
        'config.resolver',
        "'ares', 'thread', 'blocking' or a ResolverBackend",
        wanted,
      );
    current = new kind();
  }
  chosen = wanted;
  return current;
}

/** {@link ResolverBackend.lookup} of the current resolver: in place of `dns.lookup`, anywhere. */
export const lookup: ResolverBackend['lookup'] = (hostname, options, callback) =>
  getResolver().lookup(hostname, options, callback);

export function getaddrinfo(
  host: string | null,
  port?: number | string | null,
  options?: GetaddrinfoOptions,
): AddressInfo[] {
  return getResolver().getaddrinfo(host, port, options);
}

export function gethostbyname(host: string): string {
  return getResolver().gethostbyname(host);
}

export function gethostbyaddr(address: string): HostInfo {
  return getResolver().gethostbyaddr(address);
}

export function reverse(address: string): string[] {
  return getResolver().reverse(address);
}

export function resolve<T = unknown>(name: string, type?: RecordType): T {
  return getResolver().resolve<T>(name, type);
}

/** As the functions of node:dns of the same names, with values in place of callbacks. They park. */
export const resolve4: ResolverBackend['resolve4'] = (name: string, options?: { ttl?: boolean }) =>
  getResolver().resolve4(name, options) as never;
export const resolve6: ResolverBackend['resolve6'] = (name: string, options?: { ttl?: boolean }) =>
  getResolver().resolve6(name, options) as never;
export const resolveAny: ResolverBackend['resolveAny'] = (name: string) =>
  getResolver().resolveAny(name);
export const resolveCaa: ResolverBackend['resolveCaa'] = (name: string) =>
  getResolver().resolveCaa(name);
export const resolveCname: ResolverBackend['resolveCname'] = (name: string) =>
  getResolver().resolveCname(name);
export const resolveMx: ResolverBackend['resolveMx'] = (name: string) =>
  getResolver().resolveMx(name);
export const resolveNaptr: ResolverBackend['resolveNaptr'] = (name: string) =>
  getResolver().resolveNaptr(name);
export const resolveNs: ResolverBackend['resolveNs'] = (name: string) =>
  getResolver().resolveNs(name);
export const resolvePtr: ResolverBackend['resolvePtr'] = (name: string) =>
  getResolver().resolvePtr(name);
export const resolveSoa: ResolverBackend['resolveSoa'] = (name: string) =>
  getResolver().resolveSoa(name);
export const resolveSrv: ResolverBackend['resolveSrv'] = (name: string) =>
  getResolver().resolveSrv(name);
export const resolveTlsa: ResolverBackend['resolveTlsa'] = (name: string) =>
  getResolver().resolveTlsa(name);
export const resolveTxt: ResolverBackend['resolveTxt'] = (name: string) =>
  getResolver().resolveTxt(name);

export function statistics(): Record<string, number> {
  return getResolver().statistics();
}
