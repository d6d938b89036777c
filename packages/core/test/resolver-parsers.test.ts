/** Text in, structure out: the parsers of the resolver, case by case, and by what no text may do. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { addressBytes, orderAddresses } from '#src/dns/address-order.js';
import { parseHosts } from '#src/dns/hosts.js';
import { candidates, normalizeName, numericHost, parseLegacyIPv4 } from '#src/dns/names.js';
import { parseNsswitch } from '#src/dns/nsswitch.js';
import { parseResolvConf } from '#src/dns/resolv-conf.js';
import { parseServices } from '#src/dns/services.js';

function table<I>(cases: [input: I, expected: unknown][], read: (input: I) => unknown): void {
  for (const [input, expected] of cases)
    test(JSON.stringify(input), () => assert.deepEqual(read(input), expected));
}

describe('hosts', () => {
  const show = (text: string) =>
    [...parseHosts(text).byName].map(([name, all]) => `${name}=${all.map((one) => one.address)}`);
  table<string>(
    [
      ['', []],
      ['127.0.0.1 localhost', ['localhost=127.0.0.1']],
      [
        '127.0.0.1\tlocalhost\tlocal alias',
        ['localhost=127.0.0.1', 'local=127.0.0.1', 'alias=127.0.0.1'],
      ],
      ['  10.0.0.1   a  ', ['a=10.0.0.1']],
      ['10.0.0.1 a\r\n10.0.0.2 b\r\n', ['a=10.0.0.1', 'b=10.0.0.2']],
      ['10.0.0.1 a\n10.0.0.2 a', ['a=10.0.0.1,10.0.0.2']],
      ['10.0.0.1 a\n10.0.0.1 a', ['a=10.0.0.1']],
      ['10.0.0.1 a\nfd00::1 a', ['a=10.0.0.1,fd00::1']],
      ['fe80::1%eth0 link', ['link=fe80::1%eth0']],
      ['10.0.0.1 CamelCase', ['camelcase=10.0.0.1']],
      ['# 10.0.0.1 a', []],
      ['10.0.0.1 a # b', ['a=10.0.0.1']],
      ['10.0.0.1 a#b', ['a=10.0.0.1']],
      ['10.0.0.1', []],
      ['300.0.0.1 a', []],
      ['a 10.0.0.1', []],
      ['10.0.0.1 a\nnonsense\n10.0.0.2 b', ['a=10.0.0.1', 'b=10.0.0.2']],
      ['::1 ip6-localhost ip6-loopback', ['ip6-localhost=::1', 'ip6-loopback=::1']],
      ['10.0.0.1 __proto__ constructor', ['__proto__=10.0.0.1', 'constructor=10.0.0.1']],
    ],
    show,
  );
  test('the names of an address are those of its first line', () => {
    const { byAddress } = parseHosts('10.0.0.1 first alias\n10.0.0.1 second\nFD00::A six');
    assert.deepEqual(byAddress.get('10.0.0.1'), { name: 'first', aliases: ['alias'] });
    assert.deepEqual(byAddress.get('fd00::a'), { name: 'six', aliases: [] });
  });
});

describe('resolv.conf', () => {
  const defaults = {
    nameservers: ['127.0.0.1'],
    search: [],
    ndots: 1,
    timeout: 5000,
    attempts: 2,
    rotate: false,
    noAaaa: false,
  };
  const cases: [string, object][] = [
    ['', {}],
    ['nameserver 10.0.0.1', { nameservers: ['10.0.0.1'] }],
    ['nameserver\t10.0.0.1  # trailing', { nameservers: ['10.0.0.1'] }],
    ['nameserver fd00::1\nnameserver fe80::1%eth0', { nameservers: ['fd00::1', 'fe80::1%eth0'] }],
    [
      'nameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 3.3.3.3\nnameserver 4.4.4.4',
      { nameservers: ['1.1.1.1', '2.2.2.2', '3.3.3.3'] },
    ],
    ['nameserver not-an-address', {}],
    ['nameserver', {}],
    ['# nameserver 10.0.0.1', {}],
    ['; nameserver 10.0.0.1', {}],
    ['search a.test b.test', { search: ['a.test', 'b.test'] }],
    ['search a.test\nsearch b.test', { search: ['b.test'] }],
    ['search A.Test.', { search: ['a.test'] }],
    ['domain a.test', { search: ['a.test'] }],
    ['domain a.test\nsearch b.test c.test', { search: ['b.test', 'c.test'] }],
    ['search b.test c.test\ndomain a.test', { search: ['a.test'] }],
    ['search 1 2 3 4 5 6 7', { search: ['1', '2', '3', '4', '5', '6'] }],
    ['search .', {}],
    ['options ndots:3', { ndots: 3 }],
    ['options ndots:0', { ndots: 0 }],
    ['options ndots:99', { ndots: 15 }],
    ['options ndots:x', {}],
    ['options ndots:-1', {}],
    ['options timeout:2 attempts:4 rotate', { timeout: 2000, attempts: 4, rotate: true }],
    ['options timeout:99 attempts:99', { timeout: 30_000, attempts: 5 }],
    ['options timeout:0 attempts:0', { timeout: 1000, attempts: 1 }],
    ['options no-aaaa edns0 trust-ad', { noAaaa: true }],
    ['options rotate\noptions ndots:2', { rotate: true, ndots: 2 }],
    ['nonsense here\nnameserver 10.0.0.1\r\n', { nameservers: ['10.0.0.1'] }],
  ];
  for (const [text, expected] of cases)
    test(JSON.stringify(text), () =>
      assert.deepEqual(parseResolvConf(text), { ...defaults, ...expected }),
    );
  test('LOCALDOMAIN replaces the search list', () => {
    assert.deepEqual(parseResolvConf('search a b', { LOCALDOMAIN: 'x y' }).search, ['x', 'y']);
    assert.deepEqual(parseResolvConf('search a b', { LOCALDOMAIN: '' }).search, []);
  });
  test('RES_OPTIONS comes after the options of the file', () => {
    const conf = parseResolvConf('options ndots:2 timeout:3', { RES_OPTIONS: 'ndots:5 rotate' });
    assert.deepEqual([conf.ndots, conf.timeout, conf.rotate], [5, 3000, true]);
  });
});

describe('nsswitch.conf', () => {
  const show = (text: string) =>
    parseNsswitch(text).map(({ name, actions }) => {
      const special = Object.entries(actions).filter(
        ([status, action]) => (action === 'return') !== (status === 'success'),
      );
      return [name, ...special.map((one) => one.join('='))].join(' ');
    });
  table<string>(
    [
      ['', ['files', 'dns']],
      ['hosts: files dns', ['files', 'dns']],
      ['hosts:dns files', ['dns', 'files']],
      ['HOSTS: FILES DNS', ['files', 'dns']],
      ['hosts: files', ['files']],
      ['hosts: dns', ['dns']],
      ['hosts: db ldap', ['files', 'dns']],
      ['# hosts: dns\nhosts: files', ['files']],
      ['hosts: files # dns', ['files']],
      ['passwd: files\nhosts: dns', ['dns']],
      ['hosts: files [NOTFOUND=return] dns', ['files notfound=return', 'dns']],
      ['hosts: files [!UNAVAIL=return] dns', ['files notfound=return tryagain=return', 'dns']],
      ['hosts: files [SUCCESS=continue] dns', ['files success=continue', 'dns']],
      ['hosts: files mdns4_minimal [NOTFOUND=return] dns', ['files', 'dns']],
      [
        'hosts: files resolve [!UNAVAIL=return] dns',
        ['files', 'dns notfound=return tryagain=return'],
      ],
      [
        'hosts: files [notfound = return tryagain=return] dns',
        ['files notfound=return tryagain=return', 'dns'],
      ],
      ['hosts: files [nonsense] dns', ['files', 'dns']],
      ['hosts: files files dns', ['files', 'dns']],
    ],
    show,
  );
});

describe('services', () => {
  table<string>(
    [
      ['', []],
      ['http 80/tcp www', ['http/tcp=80', 'www/tcp=80']],
      ['dns 53/udp # c', ['dns/udp=53']],
      ['a 1/tcp\na 2/tcp', ['a/tcp=1']],
      ['bad 99999/tcp', []],
      ['bad x/tcp', []],
      ['bad', []],
    ],
    (text) => [...parseServices(text)].map(([name, port]) => `${name}=${port}`),
  );
});

describe('names', () => {
  table<string>(
    [
      ['Example.COM', 'example.com'],
      ['example.com.', 'example.com'],
      ['_srv._tcp.example.com', '_srv._tcp.example.com'],
      ['bücher.example', 'xn--bcher-kva.example'],
      ['a..b', undefined],
      ['.a', undefined],
      ['', undefined],
      ['.', undefined],
      ['a b', undefined],
      ['a\0b', undefined],
      ['a\nb', undefined],
      ['a:b', undefined],
      ['x'.repeat(63), 'x'.repeat(63)],
      ['x'.repeat(64), undefined],
      [`${'a.'.repeat(126)}a`, `${'a.'.repeat(126)}a`],
      [`${'a.'.repeat(127)}a`, undefined],
    ],
    normalizeName,
  );
  table<string>(
    [
      ['10.0.0.1', '10.0.0.1'],
      ['127.1', '127.0.0.1'],
      ['1.2.3', '1.2.0.3'],
      ['0x7f.1', '127.0.0.1'],
      ['017700000001', '127.0.0.1'],
      ['2130706433', '127.0.0.1'],
      ['4294967295', '255.255.255.255'],
      ['4294967296', undefined],
      ['256.1', undefined],
      ['1.2.3.256', undefined],
      ['1.2.3.4.5', undefined],
      ['1.', undefined],
      ['08', undefined],
      ['1a', undefined],
    ],
    parseLegacyIPv4,
  );
  table<string>(
    [
      ['::1', { address: '::1', family: 6 }],
      ['[::1]', { address: '::1', family: 6 }],
      ['fe80::1%eth0', { address: 'fe80::1%eth0', family: 6 }],
      ['10.0.0.1', { address: '10.0.0.1', family: 4 }],
      ['host', undefined],
      ['1host', undefined],
    ],
    numericHost,
  );
  table<[string, string[], number]>(
    [
      [
        ['a', ['x', 'y'], 1],
        ['a.x', 'a.y', 'a'],
      ],
      [
        ['a.b', ['x'], 1],
        ['a.b', 'a.b.x'],
      ],
      [
        ['a.b', ['x'], 2],
        ['a.b.x', 'a.b'],
      ],
      [['a.', ['x'], 1], ['a']],
      [['a', [], 1], ['a']],
      [
        ['a', ['x'], 0],
        ['a', 'a.x'],
      ],
    ],
    ([name, search, ndots]) => candidates(name, search, ndots),
  );
});

describe('the order of addresses (RFC 6724)', () => {
  const family = (address: string) => (address.includes(':') ? 6 : 4) as 4 | 6;
  const global = { address: '2001:db8::5', internal: false };
  const v4 = { address: '192.0.2.5', internal: false };
  const link = { address: 'fe80::5', internal: false };
  const lo = [
    { address: '127.0.0.1', internal: true },
    { address: '::1', internal: true },
  ];
  const cases: [local: { address: string; internal: boolean }[], sorted: string[], why: string][] =
    [
      [[global, v4], ['2001:db8:1::1', '198.51.100.1'], 'rule 6: IPv6 before IPv4'],
      [[v4], ['198.51.100.1', '2001:db8:1::1'], 'rule 1: what cannot be reached comes last'],
      [[v4, link], ['198.51.100.1', '2001:db8:1::1'], 'rule 2: scopes must match'],
      [[global, link], ['fe80::1', '2001:db8:1::1'], 'rule 8: the smaller scope'],
      [[global, v4], ['198.51.100.1', '2002:c633:6401::1'], 'rule 5: labels must match'],
      [[global], ['2001:db8::1', '2001:db8:ffff::1'], 'rule 9: the longer common prefix'],
      [lo, ['::1', '127.0.0.1'], 'loopback'],
      [[v4], ['198.51.100.2', '198.51.100.1'], 'rule 10: else as they came'],
    ];
  for (const [local, sorted, why] of cases)
    test(why, () => {
      const given = sorted.map((address) => ({ address, family: family(address) }));
      assert.deepEqual(
        orderAddresses(given, local).map(({ address }) => address),
        sorted,
      );
      if (why.startsWith('rule 10')) return;
      assert.deepEqual(
        orderAddresses([...given].reverse(), local).map(({ address }) => address),
        sorted,
      );
    });
  table<string>(
    [
      ['::1', '0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1'],
      ['1.2.3.4', '0,0,0,0,0,0,0,0,0,0,255,255,1,2,3,4'],
      ['fe80::1%eth0', '254,128,0,0,0,0,0,0,0,0,0,0,0,0,0,1'],
      ['::ffff:1.2.3.4', '0,0,0,0,0,0,0,0,0,0,255,255,1,2,3,4'],
    ],
    (address) => addressBytes(address).join(),
  );
});

describe('no text does harm', () => {
  const words = fc.constantFrom(
    ...'10.0.0.1 ::1 fe80::1%x name # ; [ ] [NOTFOUND=return] hosts: files dns nameserver search options ndots:2 timeout: http 80/tcp \t \n \r \0 é'.split(
      / /,
    ),
    ' ',
    '\n',
  );
  const texts = fc.oneof(
    fc.string(),
    fc.array(words).map((parts) => parts.join(' ')),
  );
  const numRuns = process.env.TENDRIL_TEST_LONG ? 50_000 : 1000;
  const holds = (name: string, check: (text: string) => void) =>
    test(name, () => fc.assert(fc.property(texts, check), { numRuns }));

  holds('hosts', (text) => {
    for (const [name, all] of parseHosts(text).byName) {
      assert.ok(name !== '' && !/\s/.test(name) && name === name.toLowerCase());
      assert.ok(all.length > 0);
      for (const { address } of all) assert.ok(numericHost(address));
    }
  });
  holds('resolv.conf', (text) => {
    const conf = parseResolvConf(text, { RES_OPTIONS: text, LOCALDOMAIN: text });
    assert.ok(conf.nameservers.length >= 1 && conf.nameservers.length <= 3);
    assert.ok(conf.search.length <= 6 && conf.ndots <= 15);
    assert.ok(conf.timeout >= 1000 && conf.timeout <= 30_000);
    assert.ok(conf.attempts >= 1 && conf.attempts <= 5);
  });
  holds('nsswitch.conf', (text) => {
    const sources = parseNsswitch(text);
    assert.ok(sources.length >= 1 && sources.length <= 2);
  });
  holds('services', (text) => {
    for (const port of parseServices(text).values()) assert.ok(port >= 0 && port <= 65_535);
  });
  holds('names', (text) => {
    const name = normalizeName(text);
    assert.ok(name === undefined || (name.length <= 253 && normalizeName(name) === name));
    numericHost(text);
  });
});
