/** Targets and hosts: what each application is told of a request, and what is refused. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { getHub } from '@tendril/core';
import { connect } from '@tendril/core/socket';
import { type Application, fetchApp, WSGIServer } from '@tendril/wsgi';
import { unquote } from '#src/gateway/environ.js';
import { errorsOf, inRealTime, leaveNothing, open, readAnswer, serving } from './serving.js';

leaveNothing();

/** Puts what a fetch handler sees beside what an application sees. */
const gateway: Application = (environ, start) => {
  start('200 OK', []);
  return [JSON.stringify([environ.PATH_INFO, environ.HTTP_HOST ?? null])];
};
const handler = fetchApp((request) => new Response(JSON.stringify([request.method, request.url])));

/** Both answers to one request, and what was reported meanwhile. */
function both(request: string, listening: object = { port: 0, host: '127.0.0.1' }) {
  const errors: unknown[] = [];
  const ask = (app: Application) => {
    const server = new WSGIServer(listening as { port: number }, app);
    server.start();
    try {
      const { address } = server;
      using socket =
        typeof address === 'string'
          ? connect({ path: address })
          : connect({ port: server.port, host: address?.address as string });
      socket.timeout = 10_000;
      socket.sendAll(Buffer.from(request, 'latin1'));
      const { status, body } = readAnswer(socket);
      return {
        status,
        said: status === 200 ? JSON.parse(Buffer.from(body, 'latin1').toString()) : undefined,
        port: server.port,
      };
    } finally {
      server.stop({ timeout: 0 });
    }
  };
  let answers: [ReturnType<typeof ask>, ReturnType<typeof ask>] | undefined;
  errors.push(
    ...errorsOf(getHub(), () => {
      answers = [ask(gateway), ask(handler)];
    }),
  );
  assert.deepEqual(errors, [], 'nothing that a client sends is an error of ours');
  const [plain, fetched] = answers as NonNullable<typeof answers>;
  return { plain, fetched };
}

/** Method, target and host; PATH_INFO or a status; the URL or a status. */
type Row = readonly [string, string, string, string | number, string | number];

const get = (target: string, info: string, url: string | number = `http://h${target}`): Row => [
  'GET',
  target,
  'h',
  info,
  url,
];
const host = (name: string, url: string | number = `http://${name}/x`): Row => [
  'GET',
  '/x',
  name,
  url === 400 ? 400 : '/x',
  url,
];
/** A host that is well-formed, and no reader of URLs takes as it is. */
const strange = (name: string): Row => ['GET', '/x', name, '/x', 400];
const method = (name: string, status: number | string): Row => [name, '/x', 'h', '/x', status];

const rows: readonly Row[] = [
  get('/', '/'),
  get('/a/b', '/a/b'),
  get('/a?b=c&d', '/a'),
  get('/?', '/', 'http://h/'),
  get('/a%20b', '/a b'),
  get('/a%2Fb', '/a/b'),
  get('/%C3%A4', '/\xc3\xa4'),
  get('/a%zz', '/a%zz'),
  get('/100%', '/100%'),
  get('/a%00b', '/a\0b'),
  get('/a"b', '/a"b', 'http://h/a%22b'),
  get('/{a}|<b>', '/{a}|<b>', 'http://h/%7Ba%7D|%3Cb%3E'),
  get('/a;b=1,2', '/a;b=1,2'),
  get('/a:b@c', '/a:b@c'),
  get('//other/path', '//other/path'),
  get('///', '///'),
  get('/a//b', '/a//b'),
  get('/a\\b', '/a\\b', 'http://h/a%5Cb'),
  get('/\\other/x', '/\\other/x', 'http://h/%5Cother/x'),
  get('\\a', '', 400),
  get('/..\\x', '/..\\x', 'http://h/..%5Cx'),
  get('/a\\..\\b', '/a\\..\\b', 'http://h/a%5C..%5Cb'),
  get('/a%5Cb', '/a\\b'),
  get('/.well-known/x', '/.well-known/x'),
  get('/a/...', '/a/...'),
  get('/a/..b', '/a/..b'),
  get('/a/../b', '/a/../b', 400),
  get('/../b', '/../b', 400),
  get('/a/./b', '/a/./b', 400),
  get('/a/..', '/a/..', 400),
  get('/.', '/.', 400),
  get('/%2e%2e', '/..', 400),
  get('/%2E%2e/admin', '/../admin', 400),
  get('/a/.%2e/b', '/a/../b', 400),
  get('/a/%2e/b', '/a/./b', 400),
  get('/a%2f..%2fb', '/a/../b', 'http://h/a%2f..%2fb'),
  get('/?a=/../b', '/'),
  get('/?a\\b', '/'),
  ['GET', 'http://other/p?q', 'h', '/p', 'http://other/p?q'],
  ['GET', 'http://other', 'h', '/', 'http://other/'],
  ['GET', 'http://other?q', 'h', '/', 'http://other/?q'],
  ['GET', 'HTTP://other:81/p', 'h', '/p', 'http://other:81/p'],
  ['GET', 'http://other/a\\b', 'h', '/a\\b', 'http://other/a%5Cb'],
  ['GET', 'http://user@other/p', 'h', 400, 400],
  ['GET', 'http://other:99999/p', 'h', 400, 400],
  ['GET', 'http:///p', 'h', 400, 400],
  ['GET', 'https://other/p', 'h', 421, 421],
  ['GET', 'HTTPS://h/p', 'h', 421, 421],
  ['OPTIONS', 'https://h', 'h', 421, 421],
  ['GET', 'ftp://other/p', 'h', 400, 400],
  ['GET', '*', 'h', 400, 400],
  ['OPTIONS', '*', 'h', '*', 'http://h/'],
  ['OPTIONS', '/x', 'h', '/x', 'http://h/x'],
  ['OPTIONS', 'http://other', 'h', '*', 'http://other/'],
  host('h:80', 'http://h/x'),
  host('h:8080'),
  host('h:', 'http://h/x'),
  host('H.Example', 'http://h.example/x'),
  host('a_b'),
  host('h.'),
  host('127.0.0.1'),
  host('[::1]:8080'),
  host('[::ffff:1.2.3.4]', 'http://[::ffff:102:304]/x'),
  host('h:65535'),
  host('h:65536', 400),
  host('a:99999', 400),
  host('a:-1', 400),
  host('a%00b', 400),
  host('a%41', 400),
  host('[:::]', 400),
  host('[1.2.3.4]', 400),
  host('[::1', 400),
  host('[::1]x', 400),
  host('u@h', 400),
  host('u:p@h', 400),
  host('h/x', 400),
  host('h?x', 400),
  host('h\\x', 400),
  host('a b', 400),
  strange('127.1'),
  strange('0x7f.0.0.1'),
  strange('1.2.3.400'),
  strange('1.2.3.4.5'),
  strange('2130706433'),
  strange('1.2.3'),
  method('PUT', 'http://h/x'),
  method('PATCH', 'http://h/x'),
  method('PROPFIND', 'http://h/x'),
  method('TRACE', 501),
  method('TRACK', 501),
  method('trace', 501),
  method('get', 501),
  method('Post', 501),
  method('patch', 501),
  ['CONNECT', 'h:80', 'h', 501, 501],
];

describe(`${rows.length} targets and hosts`, () => {
  for (const [name, target, hostName, info, url] of rows) {
    test(
      `${name} ${target} for ${hostName}: ${info}, ${url}`,
      inRealTime(() => {
        // `Connection: close`, for answers that say so anyway.
        const { plain, fetched } = both(
          `${name} ${target} HTTP/1.1\r\nHost: ${hostName}\r\nConnection: close\r\n\r\n`,
        );
        if (info === '') assert.equal(plain.status, 400);
        else if (typeof info === 'number') assert.equal(plain.status, info);
        else assert.equal(plain.said?.[0], info);
        if (typeof url === 'number') {
          assert.equal(fetched.status, url);
          return;
        }
        assert.deepEqual(fetched.said, [name, url]);
        if (target !== '*' && info !== '*') assert.equal(unquote(new URL(url).pathname), info);
      }),
    );
  }
});

describe('without a host', () => {
  test(
    'the path stays the path: an empty Host, and none in HTTP/1.0',
    inRealTime(() => {
      for (const request of [
        'GET /admin/secret HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n',
        'GET /admin/secret HTTP/1.0\r\n\r\n',
        'GET /admin/secret HTTP/1.0\r\nHost:\r\n\r\n',
      ]) {
        const { plain, fetched } = both(request);
        assert.equal(plain.said[0], '/admin/secret');
        assert.equal(fetched.said[1], `http://127.0.0.1:${fetched.port}/admin/secret`);
      }
    }),
  );

  test(
    'over IPv6 and a Unix socket',
    inRealTime(() => {
      const request = 'GET /x HTTP/1.0\r\n\r\n';
      const ipv6 = both(request, { port: 0, host: '::1' }).fetched;
      assert.equal(ipv6.said[1], `http://[::1]:${ipv6.port}/x`);
      const folder = mkdtempSync(path.join(tmpdir(), 'tendril-wsgi-'));
      try {
        const unix = both(request, { path: path.join(folder, 'socket') }).fetched;
        assert.equal(unix.said[1], 'http://localhost/x');
      } finally {
        rmSync(folder, { recursive: true });
      }
    }),
  );
});

test(
  'a path that a middleware has put in place is the URL’s, too',
  inRealTime(() => {
    const mounted: Application = (environ, start) => {
      environ.SCRIPT_NAME = '/app';
      environ.PATH_INFO = '/what? 100%\\#';
      return handler(environ, start);
    };
    serving(mounted, {}, (server) => {
      using socket = open(server);
      socket.sendAll('GET /other?q HTTP/1.1\r\nHost: h\r\n\r\n');
      const [, url] = JSON.parse(readAnswer(socket).body);
      assert.equal(url, 'http://h/app/what%3F%20100%25%5C%23?q');
    });
  }),
);

test(
  'a body with GET is not the handler’s, and the next request is',
  inRealTime(() =>
    serving(handler, {}, (server) => {
      using socket = open(server);
      socket.sendAll('GET /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc');
      assert.match(readAnswer(socket).body, /h\/1"/);
      socket.sendAll('GET /2 HTTP/1.1\r\nHost: h\r\n\r\n');
      assert.match(readAnswer(socket).body, /h\/2"/);
    }),
  ),
);
