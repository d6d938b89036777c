/** What a fetch handler may answer: its own Response, somebody else's, or what fetch() gave it. */
import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import vm from 'node:vm';
import zlib from 'node:zlib';
import { getHub, sleep, spawn, wait } from '@tendril/core';
import { type FetchHandler, fetchApp } from '@tendril/wsgi';
import {
  type Answer,
  ask,
  errorsOf,
  get,
  inRealTime,
  leaveNothing,
  open,
  readAnswer,
  serving,
} from './serving.js';

leaveNothing();

function answerTo(handler: FetchHandler, request = get()): Answer {
  return serving(fetchApp(handler), {}, (server) => ask(server, request));
}

/** Runs `body` beside a server of Node's. */
function upstream(listener: http.RequestListener, body: (url: string) => void): void {
  const server = http.createServer(listener);
  wait(new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  try {
    body(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  } finally {
    server.closeAllConnections();
    wait(new Promise((resolve) => server.close(resolve)));
  }
}

describe('what fetch() gave goes on as it is', () => {
  const text = 'hello '.repeat(1000);
  const codings: [string, (text: string) => Buffer | string, boolean][] = [
    ['gzip', (text) => zlib.gzipSync(text), true],
    ['x-gzip', (text) => zlib.gzipSync(text), true],
    ['deflate', (text) => zlib.deflateSync(text), true],
    ['br', (text) => zlib.brotliCompressSync(text), true],
    ['deflate, gzip', (text) => zlib.gzipSync(zlib.deflateSync(text)), true],
    ['unheard-of', (text) => text, false],
  ];
  for (const [coding, encode, isUndone] of codings) {
    for (const method of ['GET', 'HEAD']) {
      test(
        `${method} in ${coding}`,
        inRealTime(() => {
          const bytes = encode(text);
          const listener: http.RequestListener = (_request, response) => {
            response.setHeader('Content-Encoding', coding);
            response.setHeader('Content-Length', bytes.length);
            response.setHeader('X-Own', 'kept');
            response.end(bytes);
          };
          upstream(listener, (url) => {
            const request = get().replace('GET', method);
            const answer = answerTo((request) => fetch(url, { method: request.method }), request);
            assert.equal(answer.status, 200);
            assert.equal(answer.headers.get('x-own'), 'kept');
            assert.equal(answer.headers.get('content-encoding'), isUndone ? undefined : coding);
            if (method === 'GET') assert.equal(answer.body, text);
          });
        }),
      );
    }
  }

  test(
    'without what concerned the connection that it came on',
    inRealTime(() => {
      const listener: http.RequestListener = (_request, response) => {
        response.setHeader('Connection', 'X-Hop');
        response.setHeader('X-Hop', '1');
        response.setHeader('Keep-Alive', 'timeout=77');
        response.setHeader('Proxy-Authenticate', 'Basic');
        response.setHeader('Trailer', 'X-Last');
        response.write('a');
        response.end('b');
      };
      upstream(listener, (url) =>
        serving(
          fetchApp(() => fetch(url)),
          {},
          (server) => {
            using socket = open(server);
            for (let i = 0; i < 2; i++) {
              socket.sendAll(get());
              const { headers, body } = readAnswer(socket);
              assert.equal(body, 'ab');
              assert.equal(headers.get('keep-alive'), 'timeout=5');
              for (const name of ['connection', 'x-hop', 'proxy-authenticate', 'trailer'])
                assert.equal(headers.get(name), undefined, name);
            }
          },
        ),
      );
    }),
  );

  test(
    'and what a handler has encoded itself stays encoded',
    inRealTime(() => {
      const bytes = zlib.gzipSync(text);
      const answer = answerTo(
        () => new Response(bytes, { headers: { 'Content-Encoding': 'gzip', Connection: 'close' } }),
      );
      assert.equal(answer.headers.get('content-encoding'), 'gzip');
      assert.equal(answer.headers.get('connection'), 'close');
      assert.equal(zlib.gunzipSync(Buffer.from(answer.body, 'latin1')).toString(), text);
    }),
  );
});

describe('a Response', () => {
  const stream = (...pieces: unknown[]) =>
    new ReadableStream({
      start(controller) {
        for (const piece of pieces) controller.enqueue(piece);
        controller.close();
      },
    });

  test(
    'of a string or bytes has its length',
    inRealTime(() => {
      for (const body of ['hällo', Buffer.from('hällo'), new Blob(['hällo'])]) {
        const answer = answerTo(() => new Response(body));
        assert.equal(answer.headers.get('content-length'), '6');
        assert.equal(answer.reason, 'OK');
      }
      const own = answerTo(() => new Response('hällo', { headers: { 'Content-Length': '6' } }));
      assert.equal(own.body, 'h\xc3\xa4llo');
    }),
  );

  test(
    'may be of another realm, a package’s, and its pieces text or any bytes',
    inRealTime(() => {
      const foreign = vm.runInNewContext('new Uint8Array([100, 101])');
      const made = (body: unknown, headers: Iterable<unknown> = []) => ({
        status: 200,
        headers,
        body,
      });
      const others: [string, () => unknown, string][] = [
        [
          'a shape',
          () => made(stream('a', new TextEncoder().encode('b')), new Map([['x', 'y']])),
          'ab',
        ],
        ['bytes of another realm', () => made(stream(foreign)), 'de'],
        [
          'an ArrayBuffer and a view',
          () =>
            made(
              stream(new Uint8Array([97, 98]).buffer, new DataView(new Uint8Array([99]).buffer)),
            ),
          'abc',
        ],
        [
          'an async iterable',
          () =>
            made(
              (async function* () {
                yield 'x';
                yield Buffer.from('y');
              })(),
            ),
          'xy',
        ],
        ['no body', () => made(null), ''],
      ];
      for (const [name, make, body] of others) {
        assert.equal(answerTo(() => make() as Response).body, body, name);
        assert.equal(answerTo(() => Promise.resolve(make() as Response)).body, body, name);
      }
    }),
  );

  test(
    'without a body ends with its head: 204, 304, HEAD, and an endless stream is cancelled',
    inRealTime(() => {
      let cancelled = 0;
      const endless = () =>
        new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(10)),
          cancel: () => void cancelled++,
        });
      const handler: FetchHandler = (request) => {
        const status = Number(new URL(request.url).searchParams.get('s'));
        if (status === 200) return new Response(endless());
        return { status, headers: [], body: endless() };
      };
      serving(fetchApp(handler), {}, (server) => {
        using socket = open(server);
        for (const request of [
          get('/?s=204'),
          get('/?s=304'),
          get('/?s=200').replace('GET', 'HEAD'),
        ]) {
          socket.sendAll(request);
          assert.ok(readAnswer(socket, true).status < 400);
        }
        assert.equal(cancelled, 3);
      });
    }),
  );

  test(
    'that is an error is 500 without a report; what is none, with one',
    inRealTime(() => {
      const reported = (handler: FetchHandler) =>
        errorsOf(getHub(), () => assert.equal(answerTo(handler).status, 500)).map(
          (error) => (error as NodeJS.ErrnoException).code,
        );
      assert.deepEqual(
        reported(() => Response.error()),
        [],
      );
      for (const nothing of [undefined, null, 'text', {}])
        assert.deepEqual(
          reported(() => nothing as never),
          ['ERR_WSGI_RESPONSE'],
        );
    }),
  );

  test(
    'that fails in the middle breaks the connection off, one that fails at once is 500',
    inRealTime(() => {
      const failing = (pieces: number) => {
        let left = pieces;
        return new ReadableStream({
          async pull(controller) {
            await new Promise((resolve) => setTimeout(resolve, 1));
            if (left-- === 0) controller.error(new Error('no more'));
            else controller.enqueue(new Uint8Array(10));
          },
        });
      };
      const errors = errorsOf(getHub(), () => {
        assert.equal(answerTo(() => new Response(failing(0))).status, 500);
        assert.throws(() => answerTo(() => new Response(failing(3))));
      });
      assert.deepEqual(
        errors.map((each) => (each as Error).message),
        ['no more', 'no more'],
      );
    }),
  );

  test(
    'ends the reading of a body that nobody will read any more',
    inRealTime(() => {
      let reading: Promise<unknown> | undefined;
      const handler: FetchHandler = (request) => {
        reading = (request.body as ReadableStream)
          .getReader()
          .read()
          .catch((error) => error.code);
        return new Response('early');
      };
      serving(fetchApp(handler), {}, (server) => {
        using socket = open(server);
        socket.sendAll('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n');
        assert.equal(readAnswer(socket).body, 'early');
        assert.equal(wait(reading as Promise<unknown>, { timeout: 10_000 }), 'ERR_HTTP_BODY_SHORT');
      });
    }),
  );

  test(
    'as it comes: the first piece does not wait for the second',
    inRealTime(() => {
      let more: ReadableStreamDefaultController | undefined;
      const events = new ReadableStream({
        start(controller) {
          more = controller;
          controller.enqueue(new TextEncoder().encode('data: 1\n\n'));
        },
      });
      serving(
        fetchApp(() => new Response(events)),
        {},
        (server) => {
          using socket = open(server);
          socket.sendAll(get());
          assert.match(socket.readUntil('data: 1\n\n').toString(), /^HTTP\/1.1 200 /);
          const last = spawn(() => {
            sleep(1);
            more?.enqueue('data: 2\n\n');
            more?.close();
          });
          assert.match(socket.readUntil('\r\n0\r\n\r\n').toString(), /data: 2/);
          last.get();
        },
      );
    }),
  );
});
