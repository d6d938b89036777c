/** The resolver's files when they cannot be read, and the names that no file has. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import fs, { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { run, spawn, wait } from '@tendril/core';
import { AresResolver } from '@tendril/core/resolver';
import { VirtualClock } from '@tendril/core/testing';
import { parseRoutes, parseRoutes6 } from '#src/dns/own-names.js';
import { DnsServer } from './dns-server.js';
import { leaveNothing, withoutCertificates } from './helpers.js';
import { temporaryFolder } from './io-helpers.js';
import { addresses, code, v4, withServer } from './resolver-setting.js';

leaveNothing();
const folder = temporaryFolder();
let files = 0;
const fresh = () => path.join(folder, `file-${files++}`);
function file(text: string): string {
  const name = fresh();
  writeFileSync(name, text);
  return name;
}

describe('a file that cannot be read is an empty one', () => {
  const made: Record<string, () => string> = {
    'a link to itself (ELOOP)': () => {
      const name = fresh();
      symlinkSync(name, name);
      return name;
    },
    'a folder (EISDIR)': () => {
      const name = fresh();
      mkdirSync(name);
      return name;
    },
    'below a file (ENOTDIR)': () => path.join(file(''), 'below'),
    'a name that is too long (ENAMETOOLONG)': () => path.join(folder, 'x'.repeat(300)),
    'a name that is none (ERR_INVALID_ARG_VALUE)': () => 'a\0b',
    'a pipe that nobody writes to': () => {
      const name = fresh();
      execFileSync('mkfifo', [name]);
      return name;
    },
    '/dev/zero, which has no end': () => '/dev/zero',
  };
  for (const [what, make] of Object.entries(made))
    test(`${what}: the lookup calls back, whichever file it is`, async () => {
      const name = make();
      const server = await DnsServer.start(({ name, type }) => v4('10.0.0.1')(name, type));
      using resolver = new AresResolver({
        ...{ hostsFile: name, resolvConf: name, nsswitch: name, servicesFile: name },
        servers: [server.address],
      });
      const [address] = await promisify(resolver.lookup as typeof import('node:dns').lookup)(
        'a.test',
        { all: true },
      );
      assert.equal(address?.address, '10.0.0.1');
      await run(() => {
        assert.throws(() => resolver.getaddrinfo('a.test', 'http'), code('EAI_SERVICE'));
        assert.throws(() => resolver.reverse('10.0.0.9'), code('ENOTFOUND'));
      });
      await server.stop();
    });

  test('it is looked at again: what becomes readable counts', async () => {
    using clock = VirtualClock.install({ autoJump: false });
    const name = fresh();
    symlinkSync(name, name);
    await withServer(
      () => ({}),
      ({ resolver }) => {
        assert.throws(() => resolver.gethostbyname('x.test'), code('ENOTFOUND'));
        fs.unlinkSync(name);
        writeFileSync(name, '10.0.0.5 x.test\n');
        clock.advance(1000);
        assert.equal(resolver.gethostbyname('x.test'), '10.0.0.5');
      },
      { hostsFile: name },
    )();
  });

  test('for want of descriptors: what was read before still counts, and is read when there are some', async () => {
    const script = fileURLToPath(
      new URL('../test/scripts/resolver-descriptors.mjs', import.meta.url),
    );
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [script, file('10.0.0.1 x.test\n')],
      { env: withoutCertificates() },
    );
    assert.deepEqual(stdout.trim().split('\n'), [
      'before: 10.0.0.1',
      'without descriptors: 10.0.0.1',
      'with some again: 10.0.0.2',
    ]);
  });
});

describe('the names of this machine (myhostname)', () => {
  const withNsswitch = (line: string, body: (resolver: AresResolver, asked: string[]) => void) =>
    withServer(
      (name, type) => (name === 'dns.test' ? v4('10.0.0.1')(name, type) : {}),
      ({ resolver, server }) => body(resolver, server.asked),
      { nsswitch: file(`hosts: ${line}\n`) },
    )();
  const own = os.hostname();
  const interfaces = Object.values(os.networkInterfaces()).flatMap((list = []) => list);
  const outside = interfaces.filter(({ internal }) => !internal);

  test('its host name has the addresses of its interfaces, or 127.0.0.2', () =>
    withNsswitch('files myhostname dns', (resolver, asked) => {
      const found = addresses(resolver, own.toUpperCase()).map((one) => one.split('%')[0]);
      const wanted = outside.map(({ address }) => address);
      assert.deepEqual(found.sort(), (wanted.length > 0 ? wanted : ['127.0.0.2', '::1']).sort());
      assert.equal(resolver.gethostbyname('dns.test'), '10.0.0.1');
      assert.deepEqual(addresses(resolver, 'x.localhost.localdomain', 4), ['127.0.0.1']);
      assert.deepEqual(asked, ['A dns.test']);
      if (outside[0]) assert.deepEqual(resolver.reverse(outside[0].address), [own]);
    }));

  test('in its place among the sources: after the servers, or not at all', async () => {
    await withNsswitch('files dns myhostname', (resolver, asked) => {
      assert.ok(addresses(resolver, own).length > 0);
      assert.ok(asked.includes(`A ${own.toLowerCase()}`));
    });
    await withNsswitch('files dns [NOTFOUND=return] myhostname', (resolver) => {
      assert.throws(() => resolver.getaddrinfo(own), code('ENOTFOUND'));
    });
    await withNsswitch('files dns', (resolver) => {
      assert.throws(() => resolver.getaddrinfo(own), code('ENOTFOUND'));
    });
  });

  test('_gateway and _outbound, as the kernel has them', () =>
    withNsswitch('myhostname', (resolver) => {
      const routes = parseRoutes(fs.readFileSync('/proc/net/route', 'utf8'));
      const find = (name: string) => {
        try {
          return addresses(resolver, name, 4);
        } catch {
          return [];
        }
      };
      assert.deepEqual(find('_gateway'), [...new Set(routes.map(({ address }) => address))]);
      assert.equal(find('_outbound').length > 0, routes.length > 0);
    }));

  test('default routes, from the kernel’s tables', () => {
    const v4 = parseRoutes(
      'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n' +
        'eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n' +
        'tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n' +
        'eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n',
    );
    assert.deepEqual(v4, [{ address: '192.0.2.1', family: 4, device: 'eth0', metric: 100 }]);
    const zero = '0'.repeat(32);
    const v6 = parseRoutes6(
      `${zero} 00 ${zero} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003 eth0\n` +
        `${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200200 lo\n`,
    );
    assert.deepEqual(v6, [
      { address: 'fe80:0:0:0:0:0:0:1%eth0', family: 6, device: 'eth0', metric: 1024 },
    ]);
    for (const text of ['', 'nonsense', '\0\n \n'])
      assert.deepEqual([parseRoutes(text), parseRoutes6(text)], [[], []]);
  });
});

test('another network: what the servers before have said counts no more', async () => {
  using clock = VirtualClock.install({ autoJump: false });
  const conf = file('# at home\n');
  let held = false;
  let network = 1;
  await withServer(
    (name, type) =>
      name === 'no.test' && network === 1
        ? {}
        : { ...v4(`10.0.0.${network}`)(name, type), delay: held ? 50 : 0 },
    ({ resolver, server }) => {
      assert.equal(resolver.gethostbyname('a.test'), '10.0.0.1');
      assert.throws(() => resolver.gethostbyname('no.test'), code('ENOTFOUND'));
      held = true;
      const before = spawn(() => resolver.gethostbyname('held.test'));
      while (server.count('A held.test') === 0) yieldToLoop();
      network = 2;
      writeFileSync(conf, 'options ndots:1\n');
      clock.advance(1000);
      const after = spawn(() => resolver.gethostbyname('held.test'));
      assert.equal(resolver.gethostbyname('a.test'), '10.0.0.2', 'kept answers are not used');
      assert.equal(resolver.gethostbyname('no.test'), '10.0.0.2', 'nor that there was none');
      assert.equal(before.get(), '10.0.0.1', 'who asked there gets his answer');
      assert.equal(after.get(), '10.0.0.2', 'which is nobody else’s');
      clock.advance(1000);
      assert.equal(resolver.gethostbyname('held.test'), '10.0.0.2', 'and is not kept');
    },
    { resolvConf: conf },
  )();
});

/** In real time: the clock stands still. */
function yieldToLoop(): void {
  wait(new Promise<void>((resolve) => setTimeout(resolve, 2)));
}
