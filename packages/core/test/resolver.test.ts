import assert from 'node:assert/strict';
import { utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { InvalidArgumentError, isExit, run, sleep, spawn, Timeout } from '@tendril/core';
import {
  AI_CANONNAME,
  AI_NUMERICHOST,
  AI_NUMERICSERV,
  AI_PASSIVE,
  AI_V4MAPPED,
  AresResolver,
} from '@tendril/core/resolver';
import { VirtualClock } from '@tendril/core/testing';
import { a, aaaa, DnsServer, type Reply } from './dns-server.js';
import { leaveNothing } from './helpers.js';
import { temporaryFolder } from './io-helpers.js';
import { addresses, code, nothing, v4, withServer } from './resolver-setting.js';

leaveNothing();
const folder = temporaryFolder();

let files = 0;
function file(text: string): string {
  const name = path.join(folder, `file-${files++}`);
  writeFileSync(name, text);
  return name;
}

describe('on the wire', () => {
  test('40 names that take long are looked up at the same time', async () => {
    let asked = 0;
    let answer = () => {};
    const allAsked = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await withServer(
      (name) => {
        if (++asked === 40) answer(); // none is answered before all are asked
        return { answers: [a(name, '10.0.0.1')], after: allAsked };
      },
      ({ resolver }) => {
        const lookups = Array.from({ length: 40 }, (_, i) =>
          spawn(() => resolver.gethostbyname(`host-${i}.test`)),
        );
        for (const one of lookups) assert.equal(one.get(), '10.0.0.1');
      },
      { timeout: 20_000 },
    )();
  });

  test(
    '40 lookups of one name are one query; a killed one takes nothing from the others',
    withServer(
      (name) => ({ answers: [a(name, '10.0.0.1')], delay: 50 }),
      ({ resolver, server }) => {
        const lookups = Array.from({ length: 40 }, () =>
          spawn(() => resolver.gethostbyname('same.test')),
        );
        sleep(0);
        lookups[0]?.kill();
        assert.ok(isExit(lookups[0]?.value));
        for (const one of lookups.slice(1)) assert.equal(one.get(), '10.0.0.1');
        assert.deepEqual(server.asked, ['A same.test']);
        assert.equal(resolver.statistics().coalesced, 39);
      },
    ),
  );

  test(
    'A and AAAA are asked for together; one that fails does not fail the other',
    withServer(
      (name, type) =>
        type === 'AAAA' ? { rcode: 'SERVFAIL' } : { answers: [a(name, '10.0.0.1')] },
      ({ resolver, server }) => {
        assert.deepEqual(addresses(resolver, 'half.test'), ['10.0.0.1']);
        assert.ok(server.asked.includes('AAAA half.test'));
      },
    ),
  );

  test(
    'a family that is not wanted is not asked for',
    withServer(
      (name) => ({ answers: [aaaa(name, 'fd00::1')] }),
      ({ resolver, server }) => {
        assert.deepEqual(addresses(resolver, 'six.test', 6), ['fd00::1']);
        assert.deepEqual(server.asked, ['AAAA six.test']);
      },
    ),
  );

  test(
    'no such name: ENOTFOUND, remembered',
    withServer(
      () => ({ rcode: 'NXDOMAIN' }),
      ({ resolver, server }) => {
        for (let i = 0; i < 3; i++)
          assert.throws(() => resolver.getaddrinfo('gone.test'), code('ENOTFOUND', 'gone.test'));
        assert.equal(server.asked.length, 2);
      },
    ),
  );

  test(
    'no records of that type: ENOTFOUND',
    withServer(
      () => ({ rcode: 'NOERROR' }),
      ({ resolver }) =>
        assert.throws(() => resolver.gethostbyname('empty.test'), code('ENOTFOUND')),
    ),
  );

  for (const [what, reply] of Object.entries<Reply>({
    'a server that fails': { rcode: 'SERVFAIL' },
    'a server that refuses': { rcode: 'REFUSED' },
    'a server that is silent': { drop: true },
    'a server that answers with a wrong id': { lie: 'id' },
    'a server that answers another question': { lie: 'question' },
  })) {
    test(`${what} is followed by the next`, async () => {
      const good = await DnsServer.start(({ name, type }) => v4('10.0.0.7')(name, type));
      const body = withServer(
        () => reply,
        ({ server }) => {
          const resolver = new AresResolver({
            hostsFile: nothing,
            nsswitch: nothing,
            resolvConf: nothing,
            servers: [server.address, good.address],
            timeout: 300,
            attempts: 5,
          });
          assert.equal(resolver.gethostbyname('a.test'), '10.0.0.7');
          assert.ok(server.asked.length > 0);
          resolver.close();
        },
      );
      await body();
      await good.stop();
    });
  }

  test(
    'when all fail: EAI_AGAIN, after so many attempts',
    withServer(
      () => ({ rcode: 'SERVFAIL' }),
      ({ resolver, server }) => {
        assert.throws(() => resolver.gethostbyname('a.test'), code('EAI_AGAIN', 'a.test'));
        assert.equal(server.count('A a.test'), 3);
        assert.equal(resolver.statistics().queries, 3);
      },
      { attempts: 3 },
    ),
  );

  test(
    'a truncated answer is asked for again over TCP',
    withServer(
      (name) => ({ answers: [a(name, '10.0.0.2'), a(name, '10.0.0.3')], truncate: true }),
      ({ resolver, server }) => {
        assert.deepEqual(addresses(resolver, 'big.test', 4).sort(), ['10.0.0.2', '10.0.0.3']);
        assert.deepEqual(server.asked, ['A big.test', 'tcp A big.test']);
      },
    ),
  );

  test(
    'the search list, by ndots',
    withServer(
      (name, type) => (name === 'www.b.test' ? v4('10.0.0.1')(name, type) : {}),
      ({ resolver, server }) => {
        assert.equal(resolver.gethostbyname('www'), '10.0.0.1');
        assert.deepEqual(server.asked, ['A www.a.test', 'A www.b.test']);
        server.asked.length = 0;
        assert.throws(() => resolver.gethostbyname('x.y'), code('ENOTFOUND'));
        assert.deepEqual(server.asked, ['A x.y', 'A x.y.a.test', 'A x.y.b.test']);
        server.asked.length = 0;
        assert.throws(() => resolver.gethostbyname('dot.'), code('ENOTFOUND'));
        assert.deepEqual(server.asked, ['A dot']);
      },
      { search: ['a.test', 'b.test'], ndots: 1 },
    ),
  );

  test(
    'malformed names never get there',
    withServer(
      () => ({}),
      ({ resolver, server }) => {
        for (const name of [
          'a b.test',
          'a\0.test',
          'a..test',
          '.test',
          `${'x'.repeat(64)}.test`,
          'x.'.repeat(130),
          'tab\t.test',
          'new\nline',
          '',
        ])
          assert.throws(() => resolver.getaddrinfo(name), code('ENOTFOUND'), JSON.stringify(name));
        assert.deepEqual(server.asked, []);
      },
    ),
  );

  test(
    'other records, and PTR',
    withServer(
      (name, type) => {
        if (type === 'MX')
          return {
            answers: [{ type, name, data: { preference: 5, exchange: 'mx.test' }, ttl: 9 }],
          };
        if (type === 'TXT') return { answers: [{ type, name, data: ['v=1', 'b'], ttl: 9 }] };
        if (type === 'PTR') return { answers: [{ type, name, data: 'ptr.test', ttl: 9 }] };
        return {};
      },
      ({ resolver }) => {
        const [mx] = resolver.resolve<{ exchange: string; priority: number }[]>('m.test', 'MX');
        assert.deepEqual([mx?.exchange, mx?.priority], ['mx.test', 5]);
        assert.deepEqual(resolver.resolve('t.test', 'TXT'), [['v=1', 'b']]);
        assert.deepEqual(resolver.gethostbyaddr('10.1.2.3'), {
          name: 'ptr.test',
          aliases: [],
          addresses: ['10.1.2.3'],
        });
        assert.throws(() => resolver.resolve('m.test', 'SRV'), code('ENOTFOUND', 'm.test'));
      },
    ),
  );

  test(
    'close() and a timeout let go of those that wait',
    withServer(
      () => ({ drop: true }),
      ({ resolver }) => {
        const limit = Timeout.startNew(20);
        assert.throws(
          () => resolver.gethostbyname('slow.test'),
          (error) => error === limit,
        );
        const waiting = spawn(() => resolver.gethostbyname('slow.test'));
        sleep(0);
        resolver.close();
        assert.throws(() => waiting.get(), code('ECANCELLED'));
        assert.throws(() => resolver.gethostbyname('any.test'), code('ECANCELLED'));
      },
    ),
  );
});

describe('the cache', () => {
  test('keeps answers for their TTL, and uses old ones while no server answers', async () => {
    let broken = false;
    using _clock = VirtualClock.install({ autoJump: false });
    const clock = _clock;
    await withServer(
      (name, type) =>
        broken ? { rcode: 'SERVFAIL' } : type === 'A' ? { answers: [a(name, '10.0.0.1', 30)] } : {},
      ({ resolver, server }) => {
        const get = () => resolver.gethostbyname('c.test');
        get();
        get();
        assert.equal(server.asked.length, 1);
        clock.advance(31_000);
        get();
        assert.equal(server.asked.length, 2);
        broken = true;
        clock.advance(31_000);
        assert.equal(get(), '10.0.0.1');
        assert.equal(resolver.statistics().staleServed, 1);
        clock.advance(400_000);
        assert.throws(get, code('EAI_AGAIN'));
        broken = false;
        assert.equal(get(), '10.0.0.1');
        resolver.clearCache();
        get();
      },
    )();
  });

  test(
    'answers with a TTL of 0 are asked for again',
    withServer(
      (name) => ({ answers: [a(name, '10.0.0.1', 0)] }),
      ({ resolver, server }) => {
        for (let i = 0; i < 3; i++) resolver.gethostbyname('once.test');
        assert.equal(server.asked.length, 3);
      },
    ),
  );

  test(
    'has a limit, and can be switched off',
    withServer(v4('10.0.0.1'), ({ resolver, server }) => {
      for (let i = 0; i < 20; i++) resolver.gethostbyname(`n${i}.test`);
      assert.equal(resolver.statistics().cached, 20);
      for (const cache of [false as const, { maxEntries: 5 }]) {
        const other = new AresResolver({
          hostsFile: nothing,
          nsswitch: nothing,
          resolvConf: nothing,
          servers: [server.address],
          cache,
        });
        for (let i = 0; i < 20; i++) other.gethostbyname(`n${i}.test`);
        assert.equal(other.statistics().cached, cache ? 5 : 0);
        other.close();
      }
    }),
  );
});

describe('the hosts file', () => {
  const hostsFile = file('10.9.9.9 Printer lp\nfd00::9 both\n10.9.9.8 both\n');

  test(
    'comes first: its names never go to the wire, nor does a family that it lacks',
    withServer(
      () => ({}),
      ({ resolver, server }) => {
        assert.deepEqual(addresses(resolver, 'printer'), ['10.9.9.9']);
        assert.deepEqual(addresses(resolver, 'LP', 4), ['10.9.9.9']);
        assert.throws(() => resolver.getaddrinfo('lp', 0, { family: 6 }), code('ENOTFOUND'));
        assert.deepEqual(addresses(resolver, 'both').sort(), ['10.9.9.8', 'fd00::9']);
        assert.deepEqual(resolver.gethostbyaddr('10.9.9.9'), {
          name: 'Printer',
          aliases: ['lp'],
          addresses: ['10.9.9.9'],
        });
        assert.deepEqual(resolver.reverse('fd00:0::0:9'), ['both']);
        assert.deepEqual(server.asked, []);
      },
      { hostsFile },
    ),
  );

  test('is read again when it has changed, looked at once a second', async () => {
    using clock = VirtualClock.install({ autoJump: false });
    const changing = file('10.0.0.1 x.test\n');
    await withServer(
      () => ({}),
      ({ resolver }) => {
        assert.equal(resolver.gethostbyname('x.test'), '10.0.0.1');
        writeFileSync(changing, '10.0.0.2 x.test\n');
        utimesSync(changing, 1, 1);
        assert.equal(resolver.gethostbyname('x.test'), '10.0.0.1');
        clock.advance(1000);
        assert.equal(resolver.gethostbyname('x.test'), '10.0.0.2');
      },
      { hostsFile: changing },
    )();
  });

  test(
    'nsswitch.conf can put the servers first, or leave one out',
    withServer(v4('10.0.0.1'), ({ server }) => {
      const make = (line: string) =>
        new AresResolver({
          hostsFile,
          resolvConf: nothing,
          servers: [server.address],
          nsswitch: file(`hosts: ${line}\n`),
        });
      using dnsFirst = make('dns files');
      assert.equal(dnsFirst.gethostbyname('printer'), '10.0.0.1');
      using filesOnly = make('files');
      assert.throws(() => filesOnly.gethostbyname('a.test'), code('ENOTFOUND'));
      using stop = make('files [NOTFOUND=return] dns');
      assert.throws(() => stop.gethostbyname('a.test'), code('ENOTFOUND'));
    }),
  );
});

describe('what needs no server', () => {
  const local = withServer(
    () => assert.fail('asked'),
    ({ resolver }) => {
      const all = (host: string | null, options = {}) =>
        resolver
          .getaddrinfo(host, 80, options)
          .map(({ family, address, port }) => `${family} ${address} ${port}`);
      assert.deepEqual(all('localhost').sort(), ['4 127.0.0.1 80', '6 ::1 80']);
      assert.deepEqual(all('My.LocalHost.', { family: 4 }), ['4 127.0.0.1 80']);
      assert.deepEqual(all('10.1.2.3'), ['4 10.1.2.3 80']);
      assert.deepEqual(all('127.1'), ['4 127.0.0.1 80']);
      assert.deepEqual(all('fe80::1%lo'), ['6 fe80::1%lo 80']);
      assert.deepEqual(all('10.1.2.3', { family: 6, hints: AI_V4MAPPED }), [
        '6 ::ffff:10.1.2.3 80',
      ]);
      assert.deepEqual(all(null).sort(), ['4 127.0.0.1 80', '6 ::1 80']);
      assert.deepEqual(all(null, { hints: AI_PASSIVE, family: 4 }), ['4 0.0.0.0 80']);
      assert.throws(() => all('::1', { family: 4 }), code('EAI_ADDRFAMILY'));
      assert.throws(() => all('a.test', { hints: AI_NUMERICHOST }), code('ENOTFOUND'));
      assert.equal(
        resolver.getaddrinfo('LOCALHOST', 1, { hints: AI_CANONNAME })[0]?.canonname,
        'localhost',
      );
      assert.throws(() => all('localhost', { family: 5 }), InvalidArgumentError);
      assert.throws(() => resolver.getaddrinfo('localhost', 70_000), InvalidArgumentError);
      assert.throws(() => resolver.gethostbyaddr('name'), InvalidArgumentError);
    },
  );
  test('localhost, numbers, no host', local);

  test('localhost is loopback whatever the hosts file says, and what it says of that', async () => {
    const find = (hosts: string, family: 0 | 4 | 6 = 0) => {
      using resolver = new AresResolver({ hostsFile: file(hosts), resolvConf: nothing });
      return addresses(resolver, 'localhost', family).sort();
    };
    await run(() => {
      assert.deepEqual(find('127.0.0.1 localhost'), ['127.0.0.1']);
      assert.deepEqual(find('127.0.0.1 localhost', 6), ['::1']);
      assert.deepEqual(find('127.0.0.2 localhost\n::1 localhost'), ['127.0.0.2', '::1']);
      assert.deepEqual(find('10.1.1.1 localhost'), ['127.0.0.1', '::1']);
    });
  });

  test(
    'service names',
    withServer(
      () => ({}),
      ({ resolver }) => {
        const port = (name: string, options = {}) =>
          resolver.getaddrinfo('127.0.0.1', name, options)[0]?.port;
        assert.equal(port('web'), 8080);
        assert.equal(port('www-alias'), 8080);
        assert.equal(port('talk', { protocol: 'udp' }), 517);
        assert.equal(port('99'), 99);
        assert.throws(() => port('talk'), code('EAI_SERVICE'));
        assert.throws(() => port('web', { hints: AI_NUMERICSERV }), code('EAI_SERVICE'));
      },
      { servicesFile: file('web 8080/tcp www-alias # c\ntalk 517/udp\n') },
    ),
  );
});
