/** The server as a whole: stopping, where it listens, its logs, connections taken over. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { sleep, spawn, Timeout } from '@tendril/core';
import { connect } from '@tendril/core/socket';
import {
  type AccessRecord,
  type Application,
  combinedLine,
  jsonLine,
  WSGIServer,
} from '@tendril/wsgi';
import { programs } from './programs.js';
import {
  pathApp as app,
  ask,
  get,
  inRealTime,
  leaveNothing,
  open,
  patience,
  readAnswer,
  serving,
  until,
} from './serving.js';

leaveNothing();

const folder = mkdtempSync(path.join(tmpdir(), 'tendril-wsgi-'));
after(() => rmSync(folder, { recursive: true }));

describe('stop', () => {
  test(
    'finishes what is in flight, and closes what rests',
    inRealTime(() => {
      const server = new WSGIServer({ port: 0, host: '127.0.0.1' }, app);
      server.start();
      using idle = open(server);
      idle.sendAll(get());
      readAnswer(idle);
      using busy = open(server);
      busy.sendAll(get('/busy?100'));
      until(() => server.active === 1);
      const stopping = spawn(() => server.stop({ timeout: patience }));
      assert.equal(idle.recv().length, 0);
      const answer = readAnswer(busy);
      assert.equal(answer.body, '/busy');
      assert.equal(answer.headers.get('connection'), 'close');
      stopping.get();
      assert.throws(() => open(server), { code: 'ECONNREFUSED' });
      for (const socket of [idle, busy]) socket.destroy();
      until(() => server.statistics().connections === 0);
    }),
  );

  test(
    'kills what takes longer than its timeout, and finally runs',
    inRealTime(() => {
      let cleaned = false;
      const slow: Application = (_environ, start) => {
        try {
          sleep(60_000);
        } finally {
          cleaned = true;
        }
        start('200 OK', []);
        return [];
      };
      const server = new WSGIServer({ port: 0, host: '127.0.0.1' }, slow);
      server.start();
      using socket = open(server);
      socket.sendAll(get());
      until(() => server.active === 1);
      server.stop({ timeout: 50 });
      assert.ok(cleaned);
      assert.match(socket.readAll().toString(), /^HTTP\/1.1 503 /);
    }),
  );

  test(
    'serveForever ends with the kill of its greenlet',
    inRealTime(() => {
      const server = new WSGIServer({ port: 0, host: '127.0.0.1' }, app);
      const main = spawn(() => server.serveForever());
      until(() => server.started);
      assert.equal(ask(server, get()).status, 200);
      main.kill();
      assert.ok(server.closed);
    }),
  );
});

describe('listening', () => {
  test(
    'on a Unix socket, and on host:port',
    inRealTime(() => {
      const where = path.join(folder, 'socket');
      const server = new WSGIServer(where, app);
      server.start();
      using socket = connect({ path: where });
      socket.sendAll(get('/unix'));
      assert.equal(readAnswer(socket).body, '/unix');
      assert.equal(server.address, where);
      server.stop();
      const other = new WSGIServer('127.0.0.1:0', app);
      other.start();
      assert.equal(ask(other, get('/tcp')).body, '/tcp');
      other.stop();
    }),
  );

  test(
    'with TLS, where ALPN chooses http/1.1',
    inRealTime(() => {
      const [key, cert] = ['key', 'cert'].map((name) => path.join(folder, name)) as [
        string,
        string,
      ];
      const args = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
      const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
      execFileSync(
        programs('openssl').openssl,
        ['req', '-x509', ...args, '-keyout', key, '-out', cert, ...names],
        {
          stdio: 'pipe',
        },
      );
      const tls = { key: readFileSync(key), cert: readFileSync(cert) };
      let scheme = '';
      const noting: Application = (environ, start) => {
        scheme = environ['wsgi.url_scheme'];
        return app(environ, start);
      };
      serving(noting, { tls }, (server) => {
        using socket = connect({
          port: server.port,
          host: '127.0.0.1',
          tls: { ca: tls.cert, servername: 'localhost', ALPNProtocols: ['h2', 'http/1.1'] },
        });
        assert.equal(socket.alpnProtocol, 'http/1.1');
        socket.sendAll(get('/s'));
        assert.equal(readAnswer(socket).body, '/s');
        assert.equal(scheme, 'https');
      });
    }),
  );

  for (const [name, make] of [
    ['an application that is none', () => new WSGIServer(0, 7 as never)],
    ['a limit below 0', () => new WSGIServer(0, app, { maxHeaderSize: -1 })],
    ['a timeout of text', () => new WSGIServer(0, app, { headersTimeout: 'x' as never })],
    ['a pool of text', () => new WSGIServer(0, app, { spawn: 'x' as never })],
  ] as const) {
    test(`refuses ${name}`, () => {
      assert.throws(make, { code: 'ERR_INVALID_ARG' });
    });
  }
});

describe('the access log', () => {
  const record: AccessRecord = {
    time: new Date(Date.UTC(2000, 9, 10, 13, 55, 36)),
    remoteAddress: '10.0.0.1',
    method: 'GET',
    target: '/a"b\\',
    protocol: 'HTTP/1.1',
    status: 200,
    bytes: 0,
    duration: 3,
    referer: undefined,
    userAgent: 'x\x1b[31m\n',
  };

  test('quotes what a client could use to write lines of its own', () => {
    assert.equal(
      combinedLine(record),
      '10.0.0.1 - - [10/Oct/2000:13:55:36 +0000] "GET /a\\"b\\\\ HTTP/1.1" 200 - "-" "x\\x1b[31m\\x0a"\n',
    );
    assert.equal(JSON.parse(jsonLine(record)).status, 200);
  });

  test(
    'has a line for each request',
    inRealTime(() => {
      const lines: string[] = [];
      const records: AccessRecord[] = [];
      const write = (line: string) => lines.push(line);
      serving(app, { log: { write } }, (server) => ask(server, get('/x?1', 'User-Agent: me\r\n')));
      serving(app, { log: (each) => void records.push(each) }, (server) => ask(server, get('/y')));
      assert.equal(lines.length, 1);
      assert.match(
        lines[0] ?? '',
        /^127\.0\.0\.1 - - \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/x\?1 HTTP\/1\.1" 200 2 "-" "me"\n$/,
      );
      assert.equal(records[0]?.target, '/y');
      assert.equal(records[0]?.bytes, 2);
    }),
  );
});

describe('taking a connection over', () => {
  const upgrade = 'Connection: Upgrade\r\nUpgrade: echo\r\n';
  const taking: Application = (environ) => {
    const socket = environ['tendril.upgrade']?.();
    if (!socket) throw new Error('no upgrade');
    socket.sendAll(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n',
    );
    for (const chunk of socket) socket.sendAll(chunk);
    return [];
  };

  test(
    'gives a socket with what has come already, and closes it when the application returns',
    inRealTime(() => {
      const statuses: number[] = [];
      const log = ({ status }: AccessRecord) => void statuses.push(status);
      serving(taking, { log }, (server) => {
        using socket = open(server);
        socket.sendAll(`${get('/', upgrade)}early`);
        assert.match(String(socket.readUntil('\r\n\r\n')), / 101 /);
        assert.equal(String(socket.recvExactly(5)), 'early');
        socket.sendAll('later');
        assert.equal(String(socket.recvExactly(5)), 'later');
        socket.end();
        assert.equal(socket.recv().length, 0);
      });
      assert.deepEqual(statuses, [101]);
    }),
  );

  test(
    'ends with the server',
    inRealTime(() => {
      using _limit = Timeout.startNew(patience);
      serving(taking, {}, (server) => {
        const socket = open(server);
        socket.sendAll(get('/', upgrade));
        socket.readUntil('\r\n\r\n');
        server.stop({ timeout: 20 });
        assert.equal(socket.recv().length, 0);
        socket.destroy();
      });
    }),
  );
});
