/** What is around requests: certificates, the log of what was refused, descriptors, the hint of keep-alive. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { after, describe, test } from 'node:test';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { wait } from '@tendril/core';
import { type AccessRecord, type Application, combinedLine } from '@tendril/wsgi';
import { ask, converse, get, inRealTime, leaveNothing, pathApp, serving } from './serving.js';

leaveNothing();

describe('a client’s certificate is in environ', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tendril-wsgi-'));
  after(() => rmSync(folder, { recursive: true }));
  const at = (name: string) => path.join(folder, name);

  function certificate(
    name: string,
    subject: string,
    signer?: string,
  ): { key: Buffer; cert: Buffer } {
    const [key, cert] = [at(`${name}.key`), at(`${name}.pem`)];
    const kind = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2'.split(' ');
    const by = signer ? ['-CA', at(`${signer}.pem`), '-CAkey', at(`${signer}.key`)] : [];
    const args = ['req', '-x509', ...kind, '-subj', subject, '-keyout', key, '-out', cert, ...by];
    execFileSync('openssl', args, { stdio: 'pipe' });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  }
  const authority = certificate('ca', '/CN=Authority');
  const site = certificate('site', '/CN=localhost');
  const known = certificate('known', '/C=DE/O=Some, and Co/CN=alice', 'ca');
  const stranger = certificate('stranger', '/CN=mallory');

  const app: Application = (environ, start) => {
    start('200 OK', []);
    const all = Object.entries(environ).filter(([key]) => key.startsWith('SSL_'));
    return [JSON.stringify(Object.fromEntries(all))];
  };

  function seen(own: object, requestCert = true): Record<string, string> {
    const options = { ...site, ca: [authority.cert], requestCert, rejectUnauthorized: false };
    return serving(app, { tls: options }, (server) => {
      const socket = tls.connect({
        port: server.port,
        host: '127.0.0.1',
        rejectUnauthorized: false,
        ...own,
      });
      wait(once(socket, 'secureConnect'));
      socket.write('GET / HTTP/1.0\r\nSSL-Client-Verify: SUCCESS\r\n\r\n');
      const answer = wait(text(socket));
      return JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')));
    });
  }

  test(
    'one that is known, one that is not, none, and not asked',
    inRealTime(() => {
      const alice = seen(known);
      assert.equal(alice.SSL_CLIENT_VERIFY, 'SUCCESS');
      assert.equal(alice.SSL_CLIENT_S_DN, 'CN=alice,O=Some\\, and Co,C=DE');
      assert.equal(alice.SSL_CLIENT_S_DN_CN, 'alice');
      assert.equal(alice.SSL_CLIENT_I_DN, 'CN=Authority');
      assert.equal(alice.SSL_CLIENT_CERT, known.cert.toString());
      assert.match(alice.SSL_CLIENT_M_SERIAL ?? '', /^[\dA-F]+$/);
      const mallory = seen(stranger);
      assert.match(mallory.SSL_CLIENT_VERIFY ?? '', /^FAILED:/);
      assert.equal(mallory.SSL_CLIENT_S_DN, 'CN=mallory');
      assert.deepEqual(seen({}), { SSL_CLIENT_VERIFY: 'NONE' });
      assert.deepEqual(seen(known, false), {});
    }),
  );
});

describe('the log has what was refused', () => {
  const rows: [string, string, string][] = [
    ['GET / HTTP/1.1\r\n\r\n', '400', '"GET / HTTP/1.1"'],
    ['nonsense\r\n\r\n', '400', '"nonsense"'],
    ['\x16\x03\x01\r\n\r\n', '400', '"\\x16\\x03\\x01"'],
    ['GET / HT', '408', '"GET / HT"'],
    ['POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n', '413', '"POST /b HTTP/1.1"'],
    [`GET /${'x'.repeat(9000)} HTTP/1.1\r\n\r\n`, '414', `"GET /${'x'.repeat(2043)}"`],
    ['POST /e HTTP/1.0\r\nTransfer-Encoding: x\r\n\r\n', '400', '"POST /e HTTP/1.0"'],
    ['GET /e HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n', '417', '"GET /e HTTP/1.1"'],
    ['GET https://h/ HTTP/1.1\r\nHost: h\r\n\r\n', '421', '"GET https://h/ HTTP/1.1"'],
    [get('/many', 'A: b\r\n'.repeat(101)), '431', '"GET /many HTTP/1.1"'],
    ['CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n', '501', '"CONNECT h:1 HTTP/1.1"'],
  ];
  for (const [request, status, line] of rows) {
    test(
      `${status} for ${JSON.stringify(request.slice(0, 40))}`,
      inRealTime(() => {
        const records: AccessRecord[] = [];
        const log = (record: AccessRecord) => void records.push(record);
        serving(pathApp, { log, maxBodySize: 10, headersTimeout: 100 }, (server) => {
          const answer = converse(server, request);
          assert.equal(answer.slice(9, 12), status);
          const [record] = records;
          assert.equal(records.length, 1);
          const text = combinedLine(record as AccessRecord);
          assert.ok(text.startsWith('127.0.0.1 - - ['), text);
          assert.ok(text.includes(` ${line} ${status} ${record?.bytes} `), text);
          assert.ok(answer.endsWith(`\n${answer.slice(-(record?.bytes ?? 0))}`) && record?.bytes);
        });
      }),
    );
  }

  test(
    'once each, also when there is no room',
    inRealTime(() => {
      const records: AccessRecord[] = [];
      const options = {
        log: (record: AccessRecord) => void records.push(record),
        maxWaiting: 0,
        spawn: 1,
      };
      serving(pathApp, options, (server) => {
        const busy = wait(
          Promise.all(
            [0, 1].map((i) =>
              fetch(`http://127.0.0.1:${server.port}/${i}?50`).then((each) => each.status),
            ),
          ),
        );
        assert.deepEqual(busy.sort(), [200, 503]);
        assert.deepEqual(records.map((each) => each.status).sort(), [200, 503]);
        assert.deepEqual(records.map((each) => each.target).sort(), ['/0?50', '/1?50']);
      });
    }),
  );
});

test(
  'clients are told how long a connection stays open, if it does',
  inRealTime(() => {
    const hint = (options: object, request = get()) =>
      serving(pathApp, options, (server) => ask(server, request).headers.get('keep-alive'));
    assert.equal(hint({}), 'timeout=5');
    assert.equal(hint({ keepAliveTimeout: 2_999 }), 'timeout=2');
    assert.equal(hint({ keepAliveTimeout: Number.POSITIVE_INFINITY }), undefined);
    assert.equal(hint({}, get('/', 'Connection: close\r\n')), undefined);
    assert.equal(hint({}, 'GET / HTTP/1.0\r\n\r\n'), undefined);
    assert.equal(hint({}, 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'), 'timeout=5');
  }),
);

describe('descriptors', () => {
  const script = fileURLToPath(new URL('../test/scripts/few-descriptors.mjs', import.meta.url));
  const run = (mode: string) => {
    // Node 26 reads a file of certificates beside the program, and closes it at any time.
    const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
    const { stdout, stderr, status } = spawnSync(process.execPath, [script, mode], {
      env,
      encoding: 'utf8',
      timeout: 60_000,
    });
    assert.equal(status, 0, stderr);
    return { out: JSON.parse(stdout), stderr };
  };

  test('a server takes no more connections than there are descriptors for', () => {
    const { out, stderr } = run('fill');
    assert.ok(out.max < 128 && out.max > 20, `${out.max}`);
    assert.deepEqual(out.statuses, [200, 503]);
    assert.equal(stderr.match(/maxConnections is 5000/g)?.length, 1);
  });

  test('a moment without descriptors is over when it is over', () => {
    assert.deepEqual(run('exhaust').out, { during: 'closed', after: [200, 200, 200] });
  });
});
