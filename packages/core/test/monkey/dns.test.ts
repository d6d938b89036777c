import assert from 'node:assert/strict';
import dns from 'node:dns';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { config, run, wait } from '@tendril/core';
import { getOriginal, patchDns, restore } from '@tendril/core/monkey';
import { AresResolver, getResolver } from '@tendril/core/resolver';
import { a, aaaa, DnsServer, type Reply } from '../dns-server.js';
import { leaveNothing } from '../helpers.js';
import { describeError, describeValue } from './describe-outcome.js';

leaveNothing();

function reply(type: string, name: string): Reply {
  if (name === 'silent.test') return { drop: true };
  if (name === 'broken.test') return { rcode: 'SERVFAIL' };
  if (name === 'refused.test') return { rcode: 'REFUSED' };
  if (name === 'none.test' || name.endsWith('.arpa')) return { rcode: 'NXDOMAIN' };
  if (name === 'empty.test') return { rcode: 'NOERROR' };
  if (type === 'A') return { answers: [a(name, '192.0.2.1'), a(name, '192.0.2.2')] };
  if (type === 'AAAA') return { answers: [aaaa(name, '2001:db8::1')] };
  const data = {
    CAA: { flags: 0, tag: 'issue', value: 'ca.test' },
    CNAME: 'other.test',
    MX: { preference: 10, exchange: 'mail.test' },
    NS: 'ns.test',
    PTR: 'ptr.test',
    SRV: { priority: 1, weight: 2, port: 3, target: 'srv.test' },
    TXT: ['one', 'two'],
    SOA: {
      mname: 'm.test',
      rname: 'r.test',
      serial: 1,
      refresh: 2,
      retry: 3,
      expire: 4,
      minimum: 5,
    },
    NAPTR: {
      order: 1,
      preference: 2,
      flags: 's',
      services: 'x',
      regexp: '',
      replacement: 'n.test',
    },
  }[type];
  return data ? { answers: [{ type, name, ttl: 60, data } as never] } : { rcode: 'NOERROR' };
}

type Call = (...args: unknown[]) => unknown;

/** What a callback gets, or what is thrown at once, as plain values. */
function called(call: Call, args: unknown[]): Promise<unknown> {
  return new Promise((resolve) => {
    try {
      call(...args, (error: unknown, ...values: unknown[]) => {
        resolve(error ? { failed: describeError(error) } : values.map((one) => describeValue(one)));
      });
    } catch (error) {
      resolve({ threw: describeError(error) });
    }
  });
}

/** The same of a promise. */
async function settled(call: Call, args: unknown[]): Promise<unknown> {
  let promise: unknown;
  try {
    promise = call(...args);
  } catch (error) {
    return { threw: describeError(error) };
  }
  try {
    return describeValue(await promise);
  } catch (error) {
    return { failed: describeError(error) };
  }
}

const types = ['A', 'AAAA', 'CAA', 'CNAME', 'MX', 'NAPTR', 'NS', 'PTR', 'SOA', 'SRV', 'TXT'];
const method = (type: string) =>
  ({ A: 'resolve4', AAAA: 'resolve6' })[type] ?? `resolve${type[0]}${type.slice(1).toLowerCase()}`;

const queries: [name: string, ...args: unknown[]][] = [
  ...types.map((type): [string, unknown] => [method(type), 'some.test']),
  ...types.map((type): [string, unknown, unknown] => ['resolve', 'some.test', type]),
  ...types.map((type): [string, unknown] => [method(type), 'none.test']),
  ['resolve', 'some.test'],
  ['resolve4', 'empty.test'],
  ['resolve6', 'broken.test'],
  ['resolveMx', 'broken.test'],
  ['resolveTxt', 'refused.test'],
  ['resolve4', 'some.test', { ttl: true }],
  ['resolve4', 'some.test', { ttl: false }],
  ['resolve4', 'some.test', {}],
  ['resolve4', 'SOME.test'],
  ['resolve4', 'bücher.test'],
  ['resolve4', 5],
  ['resolve4', undefined],
  ['resolve', 'some.test', 'NO'],
  ['resolve', 'some.test', 5],
  ['resolve', 5, 'A'],
  ['reverse', 'no address'],
  ['reverse', 5],
  ['reverse', '192.0.2.77'],
  ['reverse', '2001:db8::77'],
];

const lookups: unknown[][] = [
  ['127.0.0.1'],
  ['::1', { family: 6 }],
  ['127.0.0.1', { all: true }],
  ['127.0.0.1', 4],
  ['localhost', 4],
  ['localhost', { family: 4, all: true }],
  ['localhost', { family: 4, order: 'ipv4first' }],
  ['localhost', { family: 4, verbatim: false, all: true }],
  ['localhost', { family: 4, hints: dns.ADDRCONFIG }],
  [''],
  ['', { all: true }],
  [undefined],
  [null, {}],
  [5],
  [{}],
  ['localhost', { family: 5 }],
  ['localhost', { family: '4' }],
  ['localhost', 5],
  ['localhost', 'x'],
  ['localhost', true],
  ['localhost', { hints: 1 }],
  ['localhost', { hints: 'x' }],
  ['localhost', { all: 1 }],
  ['localhost', { verbatim: 1 }],
  ['localhost', { order: 'best' }],
  ['a..b'],
  ['a..b', { all: true }],
  [`${'x'.repeat(64)}.test`],
];

describe('as Node has it', () => {
  let server: DnsServer;
  let resolver: AresResolver;
  let plain: dns.Resolver;
  let plainPromises: dns.promises.Resolver;

  before(async () => {
    server = await DnsServer.start(({ type, name }) => reply(type, name));
    resolver = new AresResolver({ servers: [server.address], attempts: 1 });
    plain = new dns.Resolver({ tries: 1 });
    plainPromises = new dns.promises.Resolver({ tries: 1 });
    plain.setServers([server.address]);
    plainPromises.setServers([server.address]);
    config.resolver = resolver;
  });
  after(async () => {
    config.resolver = undefined;
    resolver.close();
    await server.stop();
  });

  /** In and outside a greenlet. */
  async function compare(expected: unknown, call: () => Promise<unknown>): Promise<void> {
    patchDns();
    try {
      assert.deepEqual(await call(), expected, 'outside greenlets');
      assert.deepEqual(await run(() => wait(call())), expected, 'in a greenlet');
    } finally {
      restore();
    }
  }

  // Queries with `ttl` are Node's own, of Node's own servers.
  const ours = queries.filter(([, , options]) => !(options as { ttl?: boolean } | undefined)?.ttl);
  for (const [name, ...args] of ours) {
    const title = `${name}(${args.map((one) => JSON.stringify(one) ?? 'undefined').join(', ')})`;
    test(title, async () => {
      const original = (plain as unknown as Record<string, Call>)[name] as Call;
      const expected = await called(original.bind(plain), args);
      await compare(expected, () =>
        called((dns as never as Record<string, Call>)[name] as Call, args),
      );
    });
    test(`promises.${title}`, async () => {
      const original = (plainPromises as unknown as Record<string, Call>)[name] as Call;
      const expected = await settled(original.bind(plainPromises), args);
      const module = dns.promises as never as Record<string, Call>;
      await compare(expected, () => settled(module[name] as Call, args));
    });
  }

  for (const args of lookups) {
    const title = `lookup(${args.map((one) => JSON.stringify(one) ?? 'undefined').join(', ')})`;
    test(title, async () => {
      const expected = await called(dns.lookup as Call, args);
      await compare(expected, () => called(dns.lookup as Call, args));
    });
    test(`promises.${title}`, async () => {
      const expected = await settled(dns.promises.lookup as Call, args);
      await compare(expected, () => settled(dns.promises.lookup as Call, args));
    });
  }

  test('names are looked up where the resolver is told to, by everybody', async () => {
    patchDns();
    try {
      assert.deepEqual(await promisify(dns.lookup)('some.test', 4), {
        address: '192.0.2.1',
        family: 4,
      });
      assert.deepEqual(await dns.promises.lookup('some.test', { all: true, family: 6 }), [
        { address: '2001:db8::1', family: 6 },
      ]);
      const asked = server.count('A web.test');
      const loopback = new AresResolver({
        hostsFile: import.meta.filename ?? '',
        servers: ['0.0.0.0:1'],
      });
      loopback.close();
      const web = http.createServer((_request, response) => response.end('here'));
      await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
      const { port } = web.address() as AddressInfo;
      const request = http.get({ host: 'web.test', port, agent: false, timeout: 1 });
      request.on('timeout', () => request.destroy());
      await new Promise((resolve) => request.on('close', resolve).on('error', resolve));
      await new Promise((resolve) => web.close(resolve));
      const query = () => getResolver().statistics().pending === 0;
      while (!query()) await new Promise((resolve) => setTimeout(resolve, 2));
      assert.equal(server.count('A web.test'), asked + 1);
    } finally {
      restore();
    }
  });

  test('lookupService and resolvers of the program are Node’s own', () => {
    patchDns();
    try {
      assert.equal(dns.lookupService, getOriginal('dns', 'lookupService'));
      assert.notEqual(dns.lookup, getOriginal('dns', 'lookup'));
    } finally {
      restore();
    }
  });
});
