import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { execFileSync } from 'node:child_process';
import dns from 'node:dns';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { config, InvalidArgumentError, run, wait } from '@tendril/core';
import * as resolverModule from '@tendril/core/resolver';
import {
  AresResolver,
  BlockingResolver,
  getResolver,
  lookup,
  ThreadResolver,
} from '@tendril/core/resolver';
import { connect, listen } from '@tendril/core/socket';
import { a, aaaa, DnsServer } from './dns-server.js';
import { leaveNothing } from './helpers.js';
import { nothing, v4 } from './resolver-setting.js';

leaveNothing();

describe('lookup, in place of dns.lookup', () => {
  type AnyLookup = (...args: unknown[]) => void;
  /** What the callback gets, or the code of what is thrown. */
  const outcome = (lookup: AnyLookup, args: unknown[]) =>
    new Promise<unknown[]>((resolve) => {
      try {
        lookup(...args, (...result: unknown[]) => resolve(result));
      } catch (error) {
        resolve([(error as { code: string }).code]);
      }
    });
  const call = (resolver: AresResolver, ...args: unknown[]) =>
    outcome(resolver.lookup as AnyLookup, args);

  test('has its signature and its results, outside greenlets', async () => {
    const server = await DnsServer.start(({ name, type }) => ({
      answers:
        name === 'no.test' ? [] : type === 'A' ? [a(name, '10.0.0.1')] : [aaaa(name, 'fd00::1')],
    }));
    const resolver = new AresResolver({
      hostsFile: nothing,
      resolvConf: nothing,
      nsswitch: nothing,
      servers: [server.address],
    });
    assert.deepEqual(await call(resolver, 'x.test', 4), [null, '10.0.0.1', 4]);
    assert.deepEqual(await call(resolver, 'x.test', { family: 'IPv6' }), [null, 'fd00::1', 6]);
    assert.deepEqual(await call(resolver, 'x.test', { all: true, order: 'ipv4first' }), [
      null,
      [
        { address: '10.0.0.1', family: 4 },
        { address: 'fd00::1', family: 6 },
      ],
    ]);
    const [, first] = (await call(resolver, 'x.test', { order: 'ipv6first' })) as string[];
    assert.equal(first, 'fd00::1');
    const [error] = (await call(resolver, 'no.test')) as [NodeJS.ErrnoException];
    assert.equal(error.message, 'getaddrinfo ENOTFOUND no.test');
    assert.equal(error.code, 'ENOTFOUND');
    assert.equal(error.errno, -3008);
    for (const args of [['127.0.0.1'], ['::1', { all: true }], ['', {}], ['', { all: true }]])
      assert.deepEqual(await call(resolver, ...args), await outcome(dns.lookup as AnyLookup, args));
    assert.throws(
      () => resolver.lookup('x.test', { family: 9 as never }, () => {}),
      InvalidArgumentError,
    );
    assert.throws(() => resolver.lookup('x.test', {}), InvalidArgumentError);
    resolver.close();
    await server.stop();
  });

  test('serves http.request and connect()', async () => {
    const web = http.createServer((_request, response) => response.end('found'));
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    const { port } = web.address() as AddressInfo;
    const server = await DnsServer.start(({ name, type }) => v4('127.0.0.1')(name, type));
    const resolver = new AresResolver({
      hostsFile: nothing,
      nsswitch: nothing,
      resolvConf: nothing,
      servers: [server.address],
    });
    const text = await new Promise((resolve, reject) => {
      http
        .get(
          { host: 'web.test', port, agent: false, lookup: resolver.lookup as never },
          (response) => response.setEncoding('utf8').once('data', resolve),
        )
        .once('error', reject);
    });
    assert.equal(text, 'found');
    await run(() => {
      config.resolver = resolver;
      try {
        assert.equal(getResolver(), resolver);
        using listener = listen({ port: 0, host: '127.0.0.1' });
        using socket = connect({ host: 'sock.test', port: listener.port });
        listener.accept().destroy();
        assert.equal(socket.remoteAddress, '127.0.0.1');
      } finally {
        config.resolver = undefined;
      }
    });
    assert.ok(server.count('A sock.test') === 1);
    resolver.close();
    web.closeAllConnections();
    await new Promise((resolve) => web.close(resolve));
    await server.stop();
  });
});

describe('callbacks', () => {
  test('run in the context of who called, also when several ask for the same', async () => {
    const storage = new AsyncLocalStorage<number>();
    const server = await DnsServer.start(({ name, type }) => ({
      ...v4('10.0.0.1')(name, type),
      delay: 20,
    }));
    const resolver = new AresResolver({
      hostsFile: nothing,
      resolvConf: nothing,
      nsswitch: nothing,
      servers: [server.address],
    });
    const seen: (number | undefined)[] = [];
    const ask = (n: number, call: (done: () => void) => void) =>
      new Promise<void>((resolve) => {
        storage.run(n, () =>
          call(() => {
            seen.push(storage.getStore());
            resolve();
          }),
        );
      });
    const one = (n: number) => ask(n, (done) => resolver.lookup('x.test', 4, done));
    await Promise.all([0, 1, 2, 3].map(one)); // one query for all
    await Promise.all([4, 5].map(one)); // of the last second
    resolver.clearCache();
    await one(6);
    await Promise.all([
      ask(7, (done) => resolver.query('y.test', 'A', done)),
      ask(8, (done) => resolver.query('y.test', 'A', done)),
      ask(9, (done) => resolver.queryNames('10.0.0.1', done)),
    ]);
    assert.deepEqual(seen.sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.equal(server.count('A x.test'), 2);
    assert.equal(server.count('A y.test'), 1);
    resolver.close();
    await server.stop();
  });

  test('come once, and never before the call returns, whatever the answer is', async () => {
    const server = await DnsServer.start(({ name, type }) =>
      name === 'no.test' ? {} : v4('10.0.0.1')(name, type),
    );
    const resolver = new AresResolver({
      hostsFile: nothing,
      resolvConf: nothing,
      nsswitch: nothing,
      servers: [server.address],
    });
    const once = (call: (done: () => void) => void) =>
      new Promise<void>((resolve, reject) => {
        let calls = 0;
        let returned = false;
        call(() => {
          if (!returned || ++calls > 1) reject(new Error(returned ? 'twice' : 'too early'));
          setImmediate(resolve);
        });
        returned = true;
      });
    const hosts = [
      'localhost',
      '127.0.0.1',
      '::1',
      'a..b',
      'no.test',
      'a.test',
      'a.test',
      'no.test',
    ];
    const ask = async () => {
      for (const host of hosts) {
        await once((done) => resolver.lookup(host, 4, done));
        await once((done) => resolver.query(host, 'A', done));
        await once((done) => resolver.query(host, 'MX', done));
      }
      await once((done) => resolver.queryNames('10.0.0.1', done));
    };
    await ask();
    resolver.close();
    await ask();
    await server.stop();
  });

  test('one that throws takes nothing from the others who wait for the same', () => {
    const script = fileURLToPath(new URL('../test/scripts/lookup-throws.mjs', import.meta.url));
    const output = execFileSync(process.execPath, [script], { encoding: 'utf8' });
    assert.deepEqual(output.trim().split('\n'), [
      'caught: mine',
      'second: 10.0.0.1',
      'third: 10.0.0.1',
    ]);
  });
});

describe('every kind of record is a method', () => {
  const names = [
    ...['resolve4', 'resolve6', 'resolveAny', 'resolveCaa', 'resolveCname', 'resolveMx'],
    ...['resolveNaptr', 'resolveNs', 'resolvePtr', 'resolveSoa', 'resolveSrv', 'resolveTxt'],
    ...('resolveTlsa' in dns ? ['resolveTlsa'] : []),
  ];
  const data: Record<string, unknown> = {
    A: '10.0.0.1',
    AAAA: 'fd00::1',
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
    TLSA: { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.from('abc') },
  };
  type Methods = Record<string, (name: string, options?: object) => unknown>;

  test('of the resolver and of the module, with what node:dns answers', async () => {
    const server = await DnsServer.start(({ name, type }) =>
      data[type] ? { answers: [{ type, name, ttl: 60, data: data[type] } as never] } : {},
    );
    const settings = { hostsFile: nothing, resolvConf: nothing, nsswitch: nothing };
    const resolver = new AresResolver({ ...settings, servers: [server.address] });
    const plain = new dns.promises.Resolver();
    plain.setServers([server.address]);
    const methods = resolver as unknown as Methods;
    type Asked = Record<string, (name: string) => Promise<unknown>>;
    const plainMethods = plain as unknown as Asked;
    await run(() => {
      config.resolver = resolver;
      try {
        for (const name of names) {
          const asked = plainMethods[name]?.('some.test');
          const node = asked?.catch((error: Error & { code: string }) => error.code);
          const expected = wait(node as Promise<unknown>);
          const found = (call: () => unknown) => {
            try {
              return call();
            } catch (error) {
              return (error as { code: string }).code;
            }
          };
          assert.deepEqual(
            found(() => methods[name]?.('some.test')),
            expected,
            name,
          );
          const ofModule = (resolverModule as unknown as Methods)[name];
          assert.deepEqual(
            found(() => ofModule?.('some.test')),
            expected,
            name,
          );
        }
        assert.deepEqual(resolver.resolve4('some.test', { ttl: true }), [
          { address: '10.0.0.1', ttl: 60 },
        ]);
        assert.deepEqual(resolverModule.resolve6('some.test', { ttl: true }), [
          { address: 'fd00::1', ttl: 60 },
        ]);
      } finally {
        config.resolver = undefined;
      }
    });
    resolver.close();
    await server.stop();
  });

  test('outside greenlets the error names the call', () => {
    using resolver = new AresResolver();
    const methods = [...names, 'reverse'];
    const calls: [string, () => unknown][] = [
      ...methods.map((name): [string, () => unknown] => [
        name,
        () => (resolver as unknown as Methods)[name]?.('127.0.0.1'),
      ]),
      ['resolve', () => resolver.resolve('a.test', 'MX')],
      ['resolve', () => resolverModule.resolve('a.test')],
      ['resolve4', () => resolverModule.resolve4('a.test')],
      ['getaddrinfo', () => resolver.getaddrinfo('a.test')],
      ['gethostbyname', () => resolver.gethostbyname('a.test')],
      ['gethostbyname', () => resolverModule.gethostbyname('127.0.0.1')],
      ['gethostbyaddr', () => resolver.gethostbyaddr('127.0.0.1')],
    ];
    for (const [name, call] of calls)
      assert.throws(call, (error: Error & { code: string }) => {
        assert.equal(error.code, 'ERR_NOT_IN_GREENLET');
        return new RegExp(`^(AresResolver\\.)?${name}\\(\\) `).test(error.message);
      });
  });
});

describe('which resolver', () => {
  test('config.resolver and TENDRIL_RESOLVER choose', async () => {
    const choose = (kind: unknown) => {
      config.resolver = kind as 'ares';
      return getResolver();
    };
    try {
      assert.ok(choose(undefined) instanceof AresResolver);
      assert.ok(choose('thread') instanceof ThreadResolver);
      assert.ok(choose('blocking') instanceof BlockingResolver);
      assert.throws(() => choose('magic'), InvalidArgumentError);
      assert.throws(() => choose('constructor'), InvalidArgumentError);
    } finally {
      config.resolver = undefined;
    }
    const kind = execFileSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        "import { getResolver } from '@tendril/core/resolver'; console.log(getResolver().constructor.name)",
      ],
      {
        encoding: 'utf8',
        env: { ...process.env, TENDRIL_RESOLVER: 'thread' },
        cwd: import.meta.dirname,
      },
    );
    assert.equal(kind.trim(), 'ThreadResolver');
  });

  test('the others find localhost, too', () =>
    run(() => {
      for (const resolver of [new ThreadResolver(), new BlockingResolver()]) {
        assert.equal(resolver.gethostbyname('localhost'), '127.0.0.1');
        assert.throws(() => resolver.gethostbyname('no-such-name.invalid'));
        assert.equal(resolver.statistics().lookups, 2);
      }
      lookup('127.0.0.1', {}, () => {});
    }));
});
