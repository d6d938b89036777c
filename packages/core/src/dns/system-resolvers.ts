/** The two that leave it to the C library: in libuv's thread pool, or blocking everything. */
import childProcess from 'node:child_process';
import dns from 'node:dns';
import { type Family, type Found, type RecordType, ResolverBackend } from './backend.js';
import type { HostAddress } from './hosts.js';
import { resolverError } from './resolver-error.js';

// Taken out here: what stands in their place after patchAll() leads to this resolver.
const { lookup, resolve, resolve4, resolve6, reverse } = dns;
const { spawnSync } = childProcess;

abstract class SystemResolver extends ResolverBackend {
  protected lookups = 0;

  protected override findRecords(
    name: string,
    type: RecordType,
    found: Found<unknown>,
    ttl = false,
  ): void {
    const done = (error: Error | null, records: unknown) => found(error ?? undefined, records);
    if (type === 'A') resolve4(name, { ttl }, done);
    else if (type === 'AAAA') resolve6(name, { ttl }, done);
    else resolve(name, type as 'MX', done);
  }

  protected override findNames(address: string, found: Found<string[]>): void {
    reverse(address, (error, names) => found(error ?? undefined, names));
  }

  override statistics() {
    return { lookups: this.lookups };
  }

  override close(): void {}
}

/**
 * getaddrinfo(3) in libuv's thread pool, as dns.lookup does it: all that the C library knows (mdns,
 * LDAP and so on), a few lookups at a time.
 */
export class ThreadResolver extends SystemResolver {
  protected override find(host: string, family: Family, found: Found<HostAddress[]>): void {
    this.lookups++;
    lookup(host, { family, all: true }, (error, addresses) =>
      found(error ?? undefined, addresses as HostAddress[]),
    );
  }
}

/** What the child process runs: one lookup, its outcome as JSON. */
const program = `require('node:dns').lookup(process.argv[1], { family: +process.argv[2], all: true },
  (error, addresses) => process.stdout.write(JSON.stringify({ code: error?.code, addresses })))`;

/**
 * Stops the whole process for each lookup (gevent's blocking resolver): for programs that look up one
 * name before anything else runs, and for finding out whether a resolver is to blame.
 */
export class BlockingResolver extends SystemResolver {
  protected override find(host: string, family: Family, found: Found<HostAddress[]>): void {
    this.lookups++;
    const { stdout, error } = spawnSync(process.execPath, ['-e', program, host, String(family)], {
      encoding: 'utf8',
      timeout: 30_000,
    });
    const outcome = error || !stdout ? { code: 'EAI_AGAIN' } : JSON.parse(stdout);
    if (outcome.code)
      process.nextTick(found, resolverError(outcome.code, 'getaddrinfo', host), undefined);
    else process.nextTick(found, undefined, outcome.addresses);
  }
}
