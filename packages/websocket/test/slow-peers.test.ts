/** Peers that take their time, and peers that send a byte at a time. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Event, sleep, spawn } from '@tendril/core';
import { connect as connectSocket, type Socket } from '@tendril/core/socket';
import { checkLeaks } from '@tendril/core/testing';
import { type WebSocket, websocketApp } from '@tendril/websocket';
import { rawClient, type Site, served, until } from './helpers.js';

after(() => checkLeaks());

const mega = 1024 * 1024;
const message = Buffer.alloc(4 * mega, 'x');

/** A client of bare bytes, its handshake done. */
function bare({ server }: Site): Socket {
  const socket = connectSocket({ host: '127.0.0.1', port: server.port });
  socket.timeout = 20_000;
  socket.sendAll(
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  socket.readUntil('\r\n\r\n');
  return socket;
}

/** Takes a little now and then; all that came, until the end or `most` bytes. */
function sip(socket: Socket, most = Number.POSITIVE_INFINITY): Buffer {
  const pieces: Buffer[] = [];
  let got = 0;
  for (let piece = socket.recv(); piece.length > 0; piece = socket.recv()) {
    pieces.push(piece);
    got += piece.length;
    if (got >= most) break;
    sleep(40);
  }
  return Buffer.concat(pieces);
}

/** A masked frame of `bytes`, with its first byte as given. */
function frame(first: number, bytes: Buffer): Buffer {
  const head = Buffer.from([first, 0x80 | bytes.length, 0, 0, 0, 0]);
  return Buffer.concat([head, bytes]);
}

const closing = Buffer.from([0x88, 2, 1000 >> 8, 1000 & 255]);

describe('a peer that takes what it is sent, however slowly, is not given up', () => {
  const limits = { sendTimeout: 500, closeTimeout: 500, pingInterval: 500 };

  test('by send(), by close() or by the heartbeat', () => {
    let error: unknown;
    let sent = 0;
    return served(
      websocketApp((socket) => {
        try {
          socket.send(message);
          socket.send(message);
          sent++;
        } catch (reason) {
          error = reason;
        }
      }, limits),
      (site) => {
        using socket = bare(site);
        const since = performance.now();
        const got = sip(socket, 2 * message.length);
        assert.equal(error, undefined);
        assert.ok(performance.now() - since > 2000, 'it was slow');
        const rest = Buffer.concat([got.subarray(-4), sip(socket)]);
        assert.ok(got.length >= 2 * message.length && sent === 1);
        assert.deepEqual(rest.subarray(-4), closing);
      },
    );
  });

  test('but one that answers no close is, by either side', () =>
    served(
      websocketApp((socket) => {
        if (socket.protocol === '') socket.receive({ timeout: 20_000 });
      }, limits),
      (site) => {
        using answered = bare(site);
        answered.sendAll(frame(0x88, Buffer.from([1000 >> 8, 1000 & 255])));
        assert.deepEqual(answered.readAll(), closing);
        using silent = bare(site);
        silent.sendAll(frame(0x82, Buffer.from('x')));
        assert.deepEqual(silent.readAll().subarray(-4), closing);
      },
    ));

  test('nor at the end of the server, while stop() has time', () =>
    served(
      websocketApp((socket) => {
        for (let i = 0; i < 3; i++) spawn(() => socket.send(message));
        sleep();
      }, limits),
      (site) => {
        using socket = bare(site);
        until(() => site.server.active === 0);
        const stopping = spawn(() => site.server.stop({ timeout: 60_000 }));
        const got = sip(socket, 2 * mega);
        const all = Buffer.concat([got, socket.readAll()]);
        assert.ok(all.length > 3 * message.length, `${all.length} bytes`);
        assert.deepEqual(all.subarray(-4), closing);
        stopping.get();
      },
    ));
});

describe('messages in many pieces', () => {
  test('of a byte each: few are taken, too many end with 1008', () => {
    const got: unknown[] = [];
    let seen: WebSocket | undefined;
    return served(
      websocketApp((socket) => {
        seen = socket;
        for (const message of socket) got.push(message);
      }),
      (site) => {
        using socket = bare(site);
        const pieces = (count: number) =>
          Buffer.concat(
            Array.from({ length: count }, (_, i) =>
              frame((i === count - 1 ? 0x80 : 0) | (i === 0 ? 1 : 0), Buffer.from('x')),
            ),
          );
        socket.sendAll(pieces(1000));
        until(() => got.length === 1);
        assert.equal(got[0], 'x'.repeat(1000));
        socket.sendAll(pieces(100_000));
        until(() => seen?.closed === true && seen.error !== undefined);
        assert.equal(
          (seen?.error as NodeJS.ErrnoException | undefined)?.code,
          'WS_ERR_TOO_MANY_BUFFERED_PARTS',
        );
      },
    );
  });

  test('a peer whose process stands still for a while is not dead', () => {
    const go = new Event();
    let seen: WebSocket | undefined;
    return served(
      websocketApp(
        (socket) => {
          seen = socket;
          go.wait();
        },
        { pingInterval: 200 },
      ),
      ({ url }) => {
        const raw = rawClient(url);
        until(() => seen !== undefined);
        const end = performance.now() + 1000;
        while (performance.now() < end);
        sleep(150);
        assert.equal(seen?.closed, false);
        go.set();
        raw.terminate();
      },
    );
  });
});
