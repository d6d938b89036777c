/** Clients that take their time: what they are sent is theirs, as long as they take it. */
import assert from 'node:assert/strict';
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { type Greenlet, sleep, spawn } from '@tendril/core';
import type { Socket } from '@tendril/core/socket';
import { type Application, FileWrapper, fetchApp } from '@tendril/wsgi';
import { converse, get, inRealTime, leaveNothing, open, serving, until } from './serving.js';

leaveNothing();

const mega = 1024 * 1024;
/** More than the kernel takes for both sides. */
const large = 16 * mega;
const bytes = Buffer.alloc(large, 'x');
const whole: Application = (_environ, start) => {
  start('200 OK', []);
  return [bytes];
};
const closing = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

/** Bytes that come until the end, taken as fast as `pause` milliseconds after each piece allow. */
function drink(socket: Socket, pause = 0, most = Number.POSITIVE_INFINITY): number {
  let got = 0;
  for (let piece = socket.recv(); piece.length > 0; piece = socket.recv()) {
    got += piece.length;
    if (got >= most) return got;
    if (pause > 0) sleep(pause);
  }
  return got;
}

function all<T>(greenlets: Greenlet<T>[]): T[] {
  return greenlets.map((each) => each.get() as T);
}

describe('a last response goes out whole, however long that takes', () => {
  /** Longer than a connection lingers. */
  const rest = 3000;

  test(
    'with Connection: close, HTTP/1.0, and to a client that has ended its side or sends on',
    inRealTime(() =>
      serving(whole, {}, (server) => {
        const asks: [string, (socket: Socket) => void][] = [
          [closing, () => {}],
          ['GET / HTTP/1.0\r\n\r\n', () => {}],
          [get(), (socket) => socket.end()],
          [closing, (socket) => socket.sendAll('x'.repeat(1000))],
        ];
        const got = all(
          asks.map(([request, then]) =>
            spawn(() => {
              using socket = open(server);
              socket.sendAll(request);
              sleep(rest);
              then(socket);
              return drink(socket);
            }),
          ),
        );
        for (const each of got) assert.ok(each > large, `${each} of ${large} bytes`);
      }),
    ),
  );

  test(
    'at the end of a server: retire(), stop() and close()',
    inRealTime(() => {
      const ends: ((server: Parameters<Parameters<typeof serving>[2]>[0]) => void)[] = [
        (server) => server.stop({ timeout: 60_000 }),
        (server) => {
          server.retire();
          server.stop({ timeout: 60_000 });
        },
        (server) => server.close(),
      ];
      const got = all(
        ends.map((end) =>
          spawn(() =>
            serving(whole, {}, (server) => {
              using socket = open(server);
              socket.sendAll(get());
              until(() => server.statistics().requests === 1 && server.active === 0);
              const ending = spawn(() => end(server));
              sleep(rest);
              const got = drink(socket);
              ending.get();
              return got;
            }),
          ),
        ),
      );
      for (const each of got) assert.ok(each > large, `${each} of ${large} bytes`);
    }),
  );

  test(
    'and a stop() whose time is over cuts it off',
    inRealTime(() =>
      serving(whole, {}, (server) => {
        using socket = open(server);
        socket.sendAll(get());
        until(() => server.statistics().requests === 1 && server.active === 0);
        server.stop({ timeout: 50 });
        assert.throws(() => {
          const got = drink(socket);
          assert.ok(got > large, `only ${got} bytes`);
        });
        assert.equal(server.statistics().connections, 0);
      }),
    ),
  );
});

describe('sendTimeout is for clients that take nothing', () => {
  const sendTimeout = 1000;
  const size = 6 * mega;
  const body = bytes.subarray(0, size);
  const folder = mkdtempSync(path.join(tmpdir(), 'tendril-wsgi-'));
  after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'file');
  writeFileSync(file, body);
  const started =
    (make: () => ReturnType<Application>): Application =>
    (_environ, start) => {
      start('200 OK', []);
      return make();
    };
  const apps: Readonly<Record<string, Application>> = {
    '/tiny': started(() => ['tiny']),
    '/list': started(() => [body]),
    '/pieces': started(() => [body, 'end']),
    '/string': started(() => ['x'.repeat(size)]),
    '/generator': started(function* () {
      yield body;
    } as () => ReturnType<Application>),
    '/file': started(() => new FileWrapper(openSync(file, 'r'), size)),
    '/fetch': fetchApp(() => new Response(body)),
    '/stream': fetchApp(
      () =>
        new Response(
          new ReadableStream({
            start(controller) {
              controller.enqueue(body);
              controller.enqueue(new Uint8Array(3));
              controller.close();
            },
          }),
        ),
    ),
  };
  const slow = Object.keys(apps).slice(1);
  const app: Application = (environ, start) =>
    (apps[environ.PATH_INFO] as Application)(environ, start);

  test(
    `not for one that takes a little now and then: ${slow.join(', ')}`,
    inRealTime(() =>
      serving(app, { sendTimeout }, (server) => {
        const got = all(
          slow.map((target) =>
            spawn(() => {
              using socket = open(server);
              socket.sendAll(get(target));
              const since = performance.now();
              const got = drink(socket, 40, size);
              assert.ok(performance.now() - since > 2 * sendTimeout, 'it was slow');
              return got;
            }),
          ),
        );
        for (const each of got) assert.ok(each >= size, `${each} of ${size} bytes`);
      }),
    ),
  );

  test(
    'who takes nothing of a list is cut off, too, and of an answer that refuses',
    inRealTime(() =>
      serving(whole, { sendTimeout: 200 }, (server) => {
        using keeping = open(server);
        keeping.sendAll(get());
        using ending = open(server);
        ending.sendAll(closing);
        until(() => server.statistics().requests === 2 && server.statistics().connections === 0);
      }),
    ),
  );

  test(
    'the next request waits for the response before it to be taken',
    inRealTime(() => {
      let begun = 0;
      const counting: Application = (environ, start) => {
        begun++;
        return environ.PATH_INFO === '/large' ? whole(environ, start) : app(environ, start);
      };
      serving(counting, {}, (server) => {
        using socket = open(server);
        socket.sendAll(get('/large'));
        until(() => begun === 1 && server.active === 0);
        socket.sendAll(get('/large'));
        // It has come by the time that others have been answered, one after the other.
        for (let i = 0; i < 3; i++) converse(server, 'GET /tiny HTTP/1.0\r\n\r\n');
        assert.equal(begun, 4);
        assert.ok(drink(socket, 0, 2 * large) >= 2 * large);
        assert.equal(begun, 5);
      });
    }),
  );
});
