import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { run, sleep, spawn } from '@tendril/core';
import { listen } from '@tendril/core/socket';
import { checkLeaks } from '@tendril/core/testing';
import { accept, connect, websocketApp } from '@tendril/websocket';
import { WSGIServer } from '@tendril/wsgi';
import { ask, certificate, next, rawClient, served } from './helpers.js';

after(() => checkLeaks());

const greeter = websocketApp((socket) => socket.send('welcome'));

const good = [
  'GET /chat HTTP/1.1',
  'Host: example.org',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

const without = (name: string) => good.filter((line) => !line.startsWith(name));
const instead = (name: string, line: string) => [...without(name), line];

describe('accept', () => {
  test('answers with the key of RFC 6455, 1.3', () =>
    served(greeter, (site) => {
      const head = ask(site, good);
      assert.match(head, /^HTTP\/1.1 101 /);
      assert.match(head, /\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/);
    }));

  const bad: [string, string[], number][] = [
    ['a plain request', ['GET / HTTP/1.1', 'Host: a'], 426],
    ['another upgrade', instead('Upgrade', 'Upgrade: h2c'), 426],
    ['an upgrade that Connection does not name', without('Connection'), 426],
    ['another method', ['PUT /chat HTTP/1.1', ...good.slice(1)], 400],
    ['an old version', instead('Sec-WebSocket-Version', 'Sec-WebSocket-Version: 8'), 426],
    ['no version', without('Sec-WebSocket-Version'), 426],
    ['no key', without('Sec-WebSocket-Key'), 400],
    ['a short key', instead('Sec-WebSocket-Key', 'Sec-WebSocket-Key: c2hvcnQ='), 400],
    ['two keys', [...good, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='], 400],
    ['malformed protocols', [...good, 'Sec-WebSocket-Protocol: a,,b'], 400],
    ['a protocol twice', [...good, 'Sec-WebSocket-Protocol: a, a'], 400],
    ['a body in chunks', [...good, 'Transfer-Encoding: chunked'], 400],
    ['a body', [...good, 'Content-Length: 5'], 400],
    ['the page of another host', [...good, 'Origin: https://evil.example'], 403],
    ['no origin at all', [...good, 'Origin: null'], 403],
  ];
  for (const [what, lines, status] of bad)
    test(`${what} gets ${status}`, () =>
      served(greeter, (site) => {
        const head = ask(site, lines, (socket) => socket.sendAll('5\r\nhello\r\n0\r\n\r\n'));
        assert.match(head, new RegExp(`^HTTP/1.1 ${status} `));
        assert.equal(/\r\nUpgrade: websocket\r\n/.test(head), status === 426);
        if (/ersion/.test(what)) assert.match(head, /\r\nSec-WebSocket-Version: 13\r\n/);
      }));

  test('malformed extensions get 400', () =>
    served(
      websocketApp(() => {}, { perMessageDeflate: true }),
      (site) => {
        const head = ask(site, [...good, 'Sec-WebSocket-Extensions: permessage-deflate; =']);
        assert.match(head, /^HTTP\/1.1 400 /);
      },
    ));

  test('pages of the same host, and of those allowed, may connect', () => {
    const only = websocketApp(() => {}, { origins: ['https://a.example'] });
    const any = websocketApp(() => {}, { origins: '*' });
    const answer = (app: typeof only, origin: string) =>
      served(app, (site) => Number(ask(site, [...good, `Origin: ${origin}`]).slice(9, 12)));
    return Promise.all([
      answer(greeter, 'https://example.org'),
      answer(greeter, 'https://example.org:8443'),
      answer(only, 'https://a.example'),
      answer(only, 'https://example.org'),
      answer(any, 'https://example.com'),
    ]).then((statuses) => assert.deepEqual(statuses, [101, 403, 101, 403, 101]));
  });

  test('throws a typed error to an application that can still answer', () =>
    served(
      (environ, startResponse) => {
        try {
          accept(environ);
        } catch (error) {
          startResponse('200 OK', []);
          return [(error as NodeJS.ErrnoException).code as string];
        }
        return [];
      },
      ({ server }) => {
        const head = ask({ server, url: '' }, ['GET / HTTP/1.1', 'Host: a']);
        assert.match(head, /^HTTP\/1.1 200 OK/);
        assert.match(head, /Content-Length: 21\r\n/); // ERR_WEBSOCKET_UPGRADE
      },
    ));

  test('closes at the end of an application that has not', () =>
    served(
      (environ) => {
        accept(environ).send('welcome');
        if (environ.PATH_INFO === '/fail') sleep(60_000);
        return [];
      },
      ({ url, server }) => {
        const socket = connect(url);
        assert.deepEqual([...socket], ['welcome']);
        assert.equal(socket.closeCode, 1000);
        const other = connect(`${url}fail`);
        assert.equal(other.receive(), 'welcome');
        spawn(() => server.stop({ timeout: 0 }));
        assert.equal(other.receive(), undefined);
        assert.equal(other.closeCode, 1001);
      },
    ));

  test('chooses a protocol, the server’s best or what a function says', () => {
    const listed = websocketApp((socket) => socket.send(socket.protocol), {
      protocols: ['b', 'a'],
    });
    const chosen = websocketApp((socket) => socket.send(socket.protocol), {
      protocols: (offered, environ) => (environ.PATH_INFO === '/' ? offered.at(-1) : undefined),
    });
    const talk = (app: typeof listed, protocols: string[]) =>
      served(app, ({ url }) => {
        using socket = connect(url, { protocols });
        return [socket.protocol, socket.receive()];
      });
    return Promise.all([
      talk(listed, ['a', 'b']),
      talk(listed, ['c', 'a']),
      talk(chosen, ['x', 'y']),
      talk(listed, []),
    ]).then((got) =>
      assert.deepEqual(got, [
        ['b', 'b'],
        ['a', 'a'],
        ['y', 'y'],
        ['', ''],
      ]),
    );
  });
});

describe('connect', () => {
  test('reports refusals and answers that are none', () =>
    served(
      (environ, startResponse) => {
        startResponse(environ.PATH_INFO === '/secret' ? '403 Forbidden' : '200 OK', []);
        return ['no'];
      },
      ({ url }) => {
        assert.throws(() => connect(`${url}secret`), {
          code: 'ERR_WEBSOCKET_REFUSED',
          status: 403,
        });
        assert.throws(() => connect(url), { code: 'ERR_WEBSOCKET_REFUSED', status: 200 });
        assert.throws(() => connect('ftp://a/'), { code: 'ERR_INVALID_ARG' });
        assert.throws(() => connect(url, { protocols: ['a b'] }), { code: 'ERR_INVALID_ARG' });
        assert.throws(() => connect(url, { maxPayload: 0 }), { code: 'ERR_INVALID_ARG' });
      },
    ));

  test('a protocol that the server does not take is an error', () =>
    served(greeter, ({ url }) => {
      assert.throws(() => connect(url, { protocols: ['a'] }), { code: 'ERR_WEBSOCKET_ANSWER' });
    }));

  test('sends headers and an origin', () =>
    served(
      websocketApp((socket, environ) => socket.send(`${environ.HTTP_X_A} ${environ.HTTP_ORIGIN}`), {
        origins: ['https://a.example'],
      }),
      ({ url }) => {
        using socket = connect(url, { headers: { 'X-A': '1' }, origin: 'https://a.example' });
        assert.equal(socket.receive(), '1 https://a.example');
      },
    ));

  test('errors of the network are Node’s; a kill or a timeout ends the attempt', () =>
    run(() => {
      using listener = listen({ host: '127.0.0.1', port: 0 });
      const url = `ws://127.0.0.1:${listener.port}/`;
      assert.throws(() => connect(url, { timeout: 30 }), { code: 'ERR_TIMEOUT' });
      using first = listener.accept();
      assert.match(first.readUntil('\r\n\r\n').toString(), /Upgrade: websocket/);
      assert.equal(first.recv(1, { timeout: 30_000 }).length, 0);
      const attempt = spawn(() => connect(url));
      using second = listener.accept();
      second.readUntil('\r\n\r\n');
      attempt.kill();
      assert.equal(second.recv().length, 0);
      listener.close();
      assert.throws(() => connect(url), { code: 'ECONNREFUSED' });
    }));

  test('speaks TLS, and verifies who answers', () =>
    run(() => {
      const { key, cert } = certificate();
      using server = new WSGIServer({ port: 0, host: '127.0.0.1' }, greeter, {
        tls: { key, cert },
      });
      server.start();
      const url = `wss://127.0.0.1:${server.port}/`;
      const tls = { ca: cert, servername: 'localhost' };
      assert.equal(connect(url, { tls }).receive(), 'welcome');
      assert.throws(() => connect(url), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
      server.stop({ timeout: 0 });
    }));

  test('an open one outlives the greenlet that opened it', () =>
    served(
      websocketApp((socket) => socket.send(socket.receive() ?? '')),
      ({ url }) => {
        using socket = spawn(() => connect(url)).get();
        socket.send('still here');
        assert.equal(socket.receive(), 'still here');
        const raw = rawClient(url);
        raw.close();
        next(raw, 'close');
      },
    ));
});
