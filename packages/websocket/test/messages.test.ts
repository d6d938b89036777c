import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { connect as connectSocket } from '@tendril/core/socket';
import { checkLeaks } from '@tendril/core/testing';
import { connect, type WebSocket, websocketApp } from '@tendril/websocket';
import { next, rawClient, served, until } from './helpers.js';

after(() => checkLeaks());

const echo = websocketApp((socket) => {
  for (const message of socket) socket.send(message);
});

describe('messages', () => {
  test('text comes back as a string, bytes as a Buffer', () =>
    served(echo, ({ url }) => {
      using socket = connect(url);
      for (const text of ['hello', '', 'Grüße, 世界 🌱', 'x'.repeat(100_000)]) {
        socket.send(text);
        assert.equal(socket.receive(), text);
      }
      for (const length of [0, 1, 125, 126, 65_535, 65_536, 1024 * 1024]) {
        const bytes = Buffer.alloc(length, 'ab');
        socket.send(new Uint8Array(bytes));
        const got = socket.receive();
        assert.ok(Buffer.isBuffer(got) && got.equals(bytes), `${length} bytes`);
      }
    }));

  test('a client that is ws itself is answered, its pings too', () =>
    served(echo, ({ url }) => {
      const raw = rawClient(url);
      raw.send('hello');
      const [data, isBinary] = next(raw, 'message');
      assert.deepEqual([String(data), isBinary], ['hello', false]);
      raw.send(Buffer.from([1, 2]));
      assert.deepEqual(next(raw, 'message'), [Buffer.from([1, 2]), true]);
      raw.ping('are you there?');
      assert.equal(String(next(raw, 'pong')[0]), 'are you there?');
      raw.close(1000);
      assert.equal(next(raw, 'close')[0], 1000);
    }));

  test('messages sent before the handshake is answered are not lost', () =>
    served(echo, ({ server }) => {
      using socket = connectSocket({ host: '127.0.0.1', port: server.port });
      const head =
        'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
      const masked = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]);
      socket.sendAll(Buffer.concat([Buffer.from(head), masked]));
      socket.readUntil('\r\n\r\n');
      assert.deepEqual(socket.recvExactly(4), Buffer.from([0x81, 2, 0x68, 0x69]));
    }));

  test('20,000 messages keep their order, both ways', () =>
    served(echo, ({ url }) => {
      using socket = connect(url);
      const count = 20_000;
      let received = 0;
      for (let i = 0; i < count; i++) {
        socket.send(`message ${i}`);
        if (i % 200 < 199) continue;
        for (; received <= i; received++) assert.equal(socket.receive(), `message ${received}`);
      }
    }));

  test('messages are compressed if both want it', () =>
    served(
      websocketApp(
        (socket) => {
          for (const message of socket) socket.send(message);
        },
        { perMessageDeflate: true },
      ),
      ({ url }) => {
        using socket = connect(url, { perMessageDeflate: true });
        for (const text of ['short', 'long '.repeat(50_000)]) {
          socket.send(text);
          assert.equal(socket.receive(), text);
        }
        const raw = rawClient(url, { perMessageDeflate: false });
        assert.equal(raw.extensions, '');
        raw.terminate();
      },
    ));
});

describe('ends', () => {
  let seen: WebSocket;
  const silent = websocketApp((socket) => {
    seen = socket;
    for (const _ of socket);
  });

  test('the code and the reason of a close are seen on both sides', () =>
    served(silent, ({ url }) => {
      const socket = connect(url);
      socket.close(4001, 'enough');
      assert.equal(socket.closed, true);
      assert.equal(socket.receive(), undefined);
      until(() => socket.closeCode !== undefined && seen.closeCode !== undefined);
      assert.deepEqual([seen.closeCode, seen.closeReason], [4001, 'enough']);
      assert.deepEqual([socket.closeCode, socket.closeReason], [4001, 'enough']);
      socket.close();
      assert.throws(() => socket.send('late'), { code: 'ERR_WEBSOCKET_CLOSED', closeCode: 4001 });
    }));

  test('a close without a code is 1005, a broken connection 1006', () =>
    served(silent, ({ url }) => {
      for (const [end, code] of [
        ['close', 1005],
        ['terminate', 1006],
      ] as const) {
        rawClient(url)[end]();
        until(() => seen?.closeCode === code);
      }
    }));

  test('only codes and reasons that may be sent are taken', () =>
    served(silent, ({ url }) => {
      using socket = connect(url);
      for (const code of [0, 999, 1004, 1005, 1006, 1015, 2000, 2999, 5000, 3000.5])
        assert.throws(() => socket.close(code), { code: 'ERR_INVALID_ARG' });
      assert.throws(() => socket.close(1000, 'ü'.repeat(62)), { code: 'ERR_INVALID_ARG' });
      assert.equal(socket.closed, false);
      socket.close(4999, 'ü'.repeat(61));
    }));

  test('what was sent before a close is received before its end', () =>
    served(
      websocketApp((socket) => {
        for (let i = 0; i < 500; i++) socket.send(`${i}`);
      }),
      ({ url }) => {
        const socket = connect(url);
        until(() => seen !== undefined);
        assert.deepEqual(
          [...socket],
          Array.from({ length: 500 }, (_, i) => `${i}`),
        );
        assert.equal(socket.receive(), undefined);
        assert.equal(socket.closeCode, 1000);
      },
    ));

  test('a handler reads what came before its client went', () => {
    const got: unknown[] = [];
    return served(
      websocketApp((socket) => {
        until(() => socket.closed);
        got.push(...socket, 'end');
      }),
      ({ url }) => {
        const raw = rawClient(url);
        for (const text of ['a', 'b', 'c']) raw.send(text);
        raw.close();
        next(raw, 'close');
        until(() => got.length === 4);
        assert.deepEqual(got, ['a', 'b', 'c', 'end']);
      },
    );
  });
});
