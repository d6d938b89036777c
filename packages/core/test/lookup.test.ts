import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import dns from 'node:dns';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { config, InvalidArgumentError, run } from '@tendril/core';
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
