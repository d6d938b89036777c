/**
 * dns: lookups and queries go to the resolver of `@tendril/core/resolver`, in greenlets and outside them
 * (gevent's patch_dns is global too): so do those of net, http, fetch and drivers, which look names up
 * with dns.lookup.
 *
 * All of them were asynchronous before and still are: what changes is that a slow name server no longer
 * takes up libuv's four threads, and that answers are kept and shared. Left to Node are
 * dns.lookupService, which has no other way than getnameinfo(3), queries with `ttl`, and Resolver
 * objects, which have servers of their own. dns.setServers says who shall be asked: with it Node puts
 * functions of its own in the place of all queries.
 */
import dns, { type LookupOptions } from 'node:dns';
import { isIP } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { getResolver, type RecordType } from '../dns/index.js';
import { replace } from './registry.js';

/** Functions of dns and dns/promises, and what they ask for. */
const queries: Record<string, RecordType> = {
  resolve4: 'A',
  resolve6: 'AAAA',
  resolveAny: 'ANY',
  resolveCaa: 'CAA',
  resolveCname: 'CNAME',
  resolveMx: 'MX',
  resolveNaptr: 'NAPTR',
  resolveNs: 'NS',
  resolvePtr: 'PTR',
  resolveSoa: 'SOA',
  resolveSrv: 'SRV',
  ...('resolveTlsa' in dns && { resolveTlsa: 'TLSA' }),
  resolveTxt: 'TXT',
};
const types = new Set<unknown>(Object.values(queries));

type Callback = (error: Error | null, ...values: unknown[]) => void;

export function installDns(): void {
  replace('dns', 'lookup', (original) => (...args) => {
    const [host, options, callback] = args;
    const done = typeof options === 'function' ? options : callback;
    if (!isName(host) || typeof done !== 'function') return original(...args);
    // What is wrong with the options is said by the original, which answers addresses by itself.
    original('127.0.0.1', typeof options === 'function' ? {} : options, () => {});
    lookUp(host, options, done as Callback);
    return {};
  });
  replace('dns/promises', 'lookup', (original) => (...args) => {
    const [host, options] = args;
    if (!isName(host)) return original(...args);
    original('127.0.0.1', options);
    return new Promise((resolve, reject) => {
      lookUp(host, options, (error, found, family) => {
        if (error) reject(error);
        else resolve(Array.isArray(found) ? found : { address: found, family });
      });
    });
  });
  // The program has said already which servers to ask.
  if (!isDeepStrictEqual(dns.getServers(), new dns.Resolver().getServers())) return;
  for (const [name, type] of Object.entries({ ...queries, resolve: undefined }))
    replaceQuery(name, (host, given) => {
      const wanted = type ?? given ?? 'A';
      const ttl = (given as { ttl?: unknown } | undefined)?.ttl;
      if (typeof host !== 'string' || host === '' || !types.has(wanted) || ttl) return undefined;
      return (done) => getResolver().query(host, wanted as RecordType, done);
    });
  replaceQuery('reverse', (address) => {
    if (typeof address !== 'string' || isIP(address) === 0) return undefined;
    return (done) => getResolver().queryNames(address, done);
  });
}

/** Starts a query; undefined: the arguments are for the original. */
type Prepare = (
  host: unknown,
  given: unknown,
) => ((done: (error: Error | undefined, value?: unknown) => void) => void) | undefined;

/** In both modules: `(host, [type or options], callback)`, and the same without the callback. */
function replaceQuery(name: string, prepare: Prepare): void {
  replace('dns', name, (original) => (...args) => {
    const given = args.length > 2 ? args[1] : undefined;
    const callback = args.length > 2 ? args[2] : args[1];
    const start = typeof callback === 'function' ? prepare(args[0], given) : undefined;
    if (!start) return original(...args);
    const done = callback as Callback;
    start((error, value) => {
      if (error) done(error);
      else done(null, value);
    });
    return {};
  });
  replace('dns/promises', name, (original) => (...args) => {
    const start = prepare(args[0], args[1]);
    if (!start) return original(...args);
    return new Promise((resolve, reject) => {
      start((error, value) => {
        if (error) reject(error);
        else resolve(value);
      });
    });
  });
}

function isName(host: unknown): host is string {
  return typeof host === 'string' && host !== '' && isIP(host) === 0;
}

/** In the order that the options, else the process, ask for. */
function lookUp(host: string, given: unknown, callback: Callback): void {
  const options: LookupOptions =
    typeof given === 'number' ? { family: given } : { ...(given as LookupOptions) };
  if (options.verbatim !== undefined && options.verbatim !== null)
    options.order ??= options.verbatim ? 'verbatim' : 'ipv4first';
  options.order ??= dns.getDefaultResultOrder() as 'verbatim';
  getResolver().lookup(host, options, callback as never);
}
