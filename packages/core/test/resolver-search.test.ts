/** What a lookup makes of servers that fail, say nothing, or have nothing to say. */
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { describe, test } from 'node:test';
import { InvalidArgumentError, run, sleep, spawn, Timeout } from '@tendril/core';
import { AresResolver } from '@tendril/core/resolver';
import { VirtualClock } from '@tendril/core/testing';
import { a, DnsServer, type Reply } from './dns-server.js';
import { leaveNothing } from './helpers.js';
import { addresses, code, nothing, v4, withServer } from './resolver-setting.js';

leaveNothing();

/** A test with a resolver that asks several servers, in their order. */
function withServers(
  replies: ((name: string, type: string) => Reply)[],
  body: (resolver: AresResolver, servers: DnsServer[]) => void,
) {
  return async () => {
    const servers = await Promise.all(
      replies.map((reply) => DnsServer.start(({ name, type }) => reply(name, type))),
    );
    const resolver = new AresResolver({
      hostsFile: nothing,
      resolvConf: nothing,
      nsswitch: nothing,
      servers: servers.map(({ address }) => address),
    });
    try {
      await run(() => body(resolver, servers));
    } finally {
      resolver.close();
      await Promise.all(servers.map((server) => server.stop()));
    }
  };
}

describe('a search domain whose servers are of no use', () => {
  const failures: Record<string, Reply> = {
    SERVFAIL: { rcode: 'SERVFAIL' },
    REFUSED: { rcode: 'REFUSED' },
    silence: { drop: true },
  };
  for (const [what, reply] of Object.entries(failures)) {
    const options = { search: ['bad.test', 'good.test'], ndots: 5, timeout: 400, attempts: 1 };
    test(
      `${what}: the next domain is asked, and the name as it is`,
      withServer(
        (name, type) => {
          if (name.endsWith('bad.test')) return reply;
          return name === 'www.good.test' || name === 'www.elsewhere'
            ? v4('10.0.0.1')(name, type)
            : {};
        },
        ({ resolver, server }) => {
          assert.equal(resolver.gethostbyname('www'), '10.0.0.1');
          assert.deepEqual(server.asked.slice(0, 2), ['A www.bad.test', 'A www.good.test']);
          assert.equal(resolver.gethostbyname('www.elsewhere'), '10.0.0.1');
          assert.deepEqual(addresses(resolver, 'www'), ['10.0.0.1'], 'both families');
          // It may exist in the domain that does not answer.
          assert.throws(() => resolver.gethostbyname('nowhere'), code('EAI_AGAIN', 'nowhere'));
          assert.equal(resolver.statistics().failures, 1);
        },
        options,
      ),
    );
    test(
      `${what}: a name that was tried as it is first does not exist if its servers say so`,
      withServer(
        (name) => (name.endsWith('bad.test') ? reply : {}),
        ({ resolver }) =>
          assert.throws(() => resolver.gethostbyname('no.such.name'), code('ENOTFOUND')),
        { ...options, ndots: 1 },
      ),
    );
  }

  test(
    'silence: the other candidates are asked side by side, and the first of the list wins',
    withServer(
      (name, type) => {
        if (name.endsWith('.mute.test')) return { drop: true };
        const answer = v4(name.endsWith('.slow.test') ? '10.0.0.1' : '10.0.0.2')(name, type);
        return { ...answer, delay: name.endsWith('.slow.test') ? 60 : 0 };
      },
      ({ resolver, server }) => {
        assert.equal(resolver.gethostbyname('www'), '10.0.0.1');
        assert.deepEqual(
          new Set(server.asked.slice(-4)),
          new Set(
            ['mute.test', 'slow.test', 'fast.test']
              .map((domain) => `A www.${domain}`)
              .concat('A www'),
          ),
        );
      },
      { search: ['mute.test', 'slow.test', 'fast.test'], timeout: 500, attempts: 1 },
    ),
  );
});

describe('a lame server: no records, no authority, no recursion', () => {
  const lame = () => ({ rcode: 'NOERROR', lame: true }) as const;

  test(
    'the next one is asked, for addresses, other records and names',
    withServers(
      [
        lame,
        (name, type) => {
          if (type === 'MX')
            return { answers: [{ type, name, data: { preference: 5, exchange: 'mx.test' } }] };
          if (type === 'PTR') return { answers: [{ type, name, data: 'ptr.test' }] };
          return v4('10.0.0.2')(name, type);
        },
      ],
      (resolver, [first, second]) => {
        assert.equal(resolver.gethostbyname('a.test'), '10.0.0.2');
        assert.deepEqual(addresses(resolver, 'both.test'), ['10.0.0.2']);
        assert.equal(resolver.resolveMx('a.test')[0]?.exchange, 'mx.test');
        assert.deepEqual(resolver.reverse('10.9.8.7'), ['ptr.test']);
        assert.deepEqual(resolver.reverse('fd00::7'), ['ptr.test']);
        assert.equal(first?.count('A a.test'), 2, 'asked once, and once more for its header');
        assert.equal(second?.count('A a.test'), 1);
      },
    ),
  );

  test(
    'its answer counts if no other server says anything',
    withServers([lame, lame], (resolver) => {
      assert.throws(() => resolver.gethostbyname('a.test'), code('ENOTFOUND'));
      assert.throws(() => resolver.resolveMx('a.test'), code('ENODATA'));
    }),
  );

  test(
    'one that recurses knows: the others are not asked, and it not twice',
    withServers([() => ({ rcode: 'NOERROR' }), v4('10.0.0.2')], (resolver, [first, second]) => {
      for (const host of ['a.test', 'b.test', 'c.test'])
        assert.throws(() => resolver.gethostbyname(host), code('ENOTFOUND'));
      assert.deepEqual(first?.asked, ['A a.test', 'A a.test', 'A b.test', 'A c.test']);
      assert.deepEqual(second?.asked, []);
    }),
  );

  test('close() while it is looked at', async () => {
    let asked = 0;
    await withServers(
      [() => ({ rcode: 'NOERROR', lame: true, drop: asked++ > 0 }), v4('10.0.0.2')],
      (resolver, [, second]) => {
        const waiting = spawn(() => resolver.gethostbyname('held.test'));
        while (asked < 2) sleep(1);
        resolver.close();
        assert.throws(() => waiting.get(), code('ECANCELLED'));
        assert.deepEqual(second?.asked, []);
      },
    )();
  });
});

describe('many addresses', () => {
  test('257 of them are kept for their TTL, and no longer', async () => {
    using clock = VirtualClock.install({ autoJump: false });
    let version = 0;
    await withServer(
      (name, type) =>
        type === 'A'
          ? {
              answers: Array.from({ length: 257 }, (_, i) =>
                a(name, `10.${version}.${i >> 8}.${i & 255}`, 30),
              ),
              truncate: true,
            }
          : {},
      ({ resolver, server }) => {
        const first = () => addresses(resolver, 'big.test', 4)[0]?.split('.')[1];
        assert.equal(first(), '0');
        version = 1;
        clock.advance(29_000);
        assert.equal(first(), '0');
        clock.advance(2000);
        assert.equal(first(), '1');
        assert.equal(server.count('tcp A big.test'), 2);
        const ttls = resolver.resolve4('big.test', { ttl: true }).map(({ ttl }) => ttl);
        assert.deepEqual(ttls, new Array(257).fill(30));
      },
    )();
  });

  test('times of the cache that are none are refused', () => {
    for (const cache of [{ maxTtl: Number.NaN }, { negativeTtl: -1 }, { maxEntries: 'x' as never }])
      assert.throws(() => new AresResolver({ cache }), InvalidArgumentError);
    new AresResolver({ cache: { maxTtl: undefined as never } }).close();
  });
});

describe('servers as users write them', () => {
  /** An address that needs its scope, if this machine has one; else one that can do without. */
  const linkLocal = Object.entries(networkInterfaces())
    .flatMap(([device, list = []]) => list.map(({ address }) => `${address}%${device}`))
    .find((address) => address.startsWith('fe80:'));

  test(`a scope and a port: ${linkLocal ?? '::1%lo'}`, async () => {
    const host = linkLocal ?? '::1%lo';
    const server = await DnsServer.start(
      ({ name, type }) => ({ ...v4('10.0.0.1')(name, type), truncate: name === 'big.test' }),
      host,
    );
    const resolver = new AresResolver({
      hostsFile: nothing,
      nsswitch: nothing,
      resolvConf: nothing,
      servers: [`[${host}]:${server.port}`],
    });
    try {
      await run(() => {
        for (let i = 0; i < 3; i++)
          assert.equal(resolver.gethostbyname(`host-${i}.test`), '10.0.0.1');
        assert.equal(resolver.gethostbyname('big.test'), '10.0.0.1');
        assert.deepEqual(server.asked.slice(-2), ['A big.test', 'tcp A big.test']);
      });
    } finally {
      resolver.close();
      await server.stop();
    }
  });

  test('a scope that does not exist is a server that does not answer', () =>
    run(() => {
      using resolver = new AresResolver({
        ...{ hostsFile: nothing, nsswitch: nothing, resolvConf: nothing },
        ...{ servers: ['[fe80::1%nosuch0]:5353', 'fe80::1%nosuch0'], timeout: 50, attempts: 1 },
      });
      assert.throws(() => resolver.gethostbyname('a.test'), code('EAI_AGAIN'));
    }));

  test('what is wrong with an option is said at once, and by no lookup', () => {
    const bad = [
      ...['', 'name', '1.2.3.4:x', '1.2.3.4:99999', '[1.2.3.4]:53', '[::1', '::1]:53', ':53'].map(
        (server) => ({ servers: [server] }),
      ),
      ...[
        { servers: [] },
        { timeout: -1 },
        { timeout: 0.5 },
        { attempts: 0 },
        { ndots: Number.NaN },
      ],
    ];
    for (const options of bad)
      assert.throws(() => new AresResolver(options), InvalidArgumentError, JSON.stringify(options));
    for (const server of [
      '1.2.3.4',
      '1.2.3.4:5353',
      '::1',
      '[::1]',
      '[::1]:53',
      'fe80::1%lo',
      '[fe80::1%lo]:5',
    ])
      assert.deepEqual(new AresResolver({ servers: [server] }).getServers(), [server]);
  });
});

describe('who gives up', () => {
  test('no other server is asked once nobody waits any more', async () => {
    await withServers(
      [() => ({ rcode: 'SERVFAIL', delay: 100 }), v4('10.0.0.2')],
      (resolver, [first, second]) => {
        for (const ask of [
          () => resolver.resolveMx('a.test'),
          () => resolver.gethostbyname('a.test'),
        ]) {
          using limit = Timeout.startNew(20);
          assert.throws(ask, (error) => error === limit);
        }
        const killed = spawn(() => resolver.resolveTxt('a.test'));
        while ((first?.asked.length ?? 0) < 3) sleep(1);
        killed.kill();
        // After this one's answer, those before it have theirs, too.
        assert.equal(resolver.gethostbyname('b.test'), '10.0.0.2');
        assert.deepEqual(second?.asked, ['A b.test']);
      },
    )();
  });
});
