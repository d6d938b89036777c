/** `wsgi.input`: what applications read of a request's body. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sleep } from '@tendril/core';
import { type Application, type Environ, RequestError } from '@tendril/wsgi';
import { Input } from '#src/gateway/input.js';
import {
  answering,
  ask,
  converse,
  get,
  inRealTime,
  leaveNothing,
  open,
  readAnswer,
  serving,
} from './serving.js';

leaveNothing();

describe('wsgi.input', () => {
  const post = (path: string, body: string) =>
    `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const text = 'first\nsecond\n\nlast';
  const readers: [string, (environ: Environ) => unknown, unknown][] = [
    ['read()', (e) => String(e['wsgi.input'].read()), text],
    [
      'read(n) until empty',
      (e) => [7, 5, 50, 1].map((n) => String(e['wsgi.input'].read(n))),
      ['first\ns', 'econd', '\n\nlast', ''],
    ],
    ['read(-1)', (e) => String(e['wsgi.input'].read(-1)), text],
    ['read(0)', (e) => String(e['wsgi.input'].read(0)), ''],
    [
      'readline()',
      (e) => [1, 2, 3, 4, 5].map(() => String(e['wsgi.input'].readline())),
      ['first\n', 'second\n', '\n', 'last', ''],
    ],
    [
      'readline(n)',
      (e) => [3, 30, 2].map((n) => String(e['wsgi.input'].readline(n))),
      ['fir', 'st\n', 'se'],
    ],
    [
      'readlines()',
      (e) => e['wsgi.input'].readlines().map(String),
      ['first\n', 'second\n', '\n', 'last'],
    ],
    ['readlines(hint)', (e) => e['wsgi.input'].readlines(7).map(String), ['first\n', 'second\n']],
    ['iteration', (e) => [...e['wsgi.input']].map(String).length, 4],
  ];
  for (const [name, reader, expected] of readers) {
    test(
      name,
      inRealTime(() => {
        const results: unknown[] = [];
        const app = answering((environ) => {
          results.push(reader(environ));
          return [];
        });
        serving(app, {}, (server) => {
          ask(server, post('/', text));
          using socket = open(server);
          for (const byte of post('/', text)) {
            socket.sendAll(byte);
            sleep(0);
          }
          readAnswer(socket);
          const chunks = [...text].map((letter) => `1\r\n${letter}\r\n`).join('');
          ask(
            server,
            `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`,
          );
        });
        assert.deepEqual(results, [expected, expected, expected]);
      }),
    );
  }

  test(
    'is empty without a body',
    inRealTime(() => {
      const app = answering((environ) => [String(environ['wsgi.input'].read().length)]);
      serving(app, {}, (server) => assert.equal(ask(server, get()).body, '0'));
    }),
  );

  test(
    '100 Continue is sent when somebody reads, once, and not after the response has begun',
    inRealTime(() => {
      const app: Application = (environ, start) => {
        if (environ.PATH_INFO === '/after') {
          const write = start('200 OK', []);
          write('x');
          return [environ['wsgi.input'].read()];
        }
        start('200 OK', []);
        if (environ.PATH_INFO === '/never') return ['no'];
        return [environ['wsgi.input'].read(2), environ['wsgi.input'].read()];
      };
      const head = (path: string) =>
        `POST ${path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n`;
      serving(app, {}, (server) => {
        using reading = open(server);
        reading.sendAll(head('/'));
        assert.equal(reading.readLine(), 'HTTP/1.1 100 Continue');
        assert.equal(reading.readLine(), '');
        reading.sendAll('ab');
        sleep(0);
        reading.sendAll('cd');
        assert.equal(readAnswer(reading).body, 'abcd');
        // Not asked for: the body may never come, so the connection closes.
        assert.match(converse(server, head('/never')), /^HTTP\/1.1 200 [\s\S]*Connection: close/);
        using late = open(server);
        late.sendAll(head('/after'));
        assert.match(late.readLine() ?? '', /200/);
        late.sendAll('abcd');
        assert.ok(!String(late.readUntil('0\r\n\r\n')).includes('100 Continue'));
      });
    }),
  );

  test(
    'a body that is refused midway is an error for the application, and 400 for the client',
    inRealTime(() => {
      let seen: unknown;
      const app: Application = (environ, start) => {
        try {
          environ['wsgi.input'].read();
        } catch (error) {
          seen = error;
          throw error;
        }
        start('200 OK', []);
        return [];
      };
      serving(app, {}, (server) => {
        const bad =
          'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nx\r\n';
        assert.match(converse(server, bad), /^HTTP\/1.1 400 /);
        assert.ok(seen instanceof RequestError && seen.code === 'ERR_HTTP_CHUNK_SIZE');
      });
    }),
  );

  test('bytes that come one by one, and are not read, take little more than their number', () => {
    const count = 64 * 1024;
    const used = () => {
      // What buffers stood on is given back beside the collection, by another thread.
      let least = Number.POSITIVE_INFINITY;
      for (let i = 0; i < 10; i++) {
        (globalThis as { gc?: () => void }).gc?.();
        const { heapUsed, external } = process.memoryUsage();
        least = Math.min(least, heapUsed + external);
      }
      return least;
    };
    const input = new Input({ wantBody() {}, readOn() {} });
    const before = used();
    for (let i = 0; i < count; i++) input.push(Buffer.from(Buffer.alloc(8192, i)).subarray(7, 8));
    const taken = used() - before;
    assert.equal(input.buffered, count);
    assert.ok(taken < 8 * count, `${taken} bytes`);
    input.end();
    const all = input.read();
    assert.ok(all.length === count && all.every((byte, i) => byte === (i & 255)));
  });

  test('pieces of all sizes come out in order', () => {
    const pieces = Array.from({ length: 500 }, (_, i) => Buffer.alloc((i * 37) % 1500, i));
    for (const read of [(input: Input) => input.read(997), (input: Input) => input.readSome(700)]) {
      const input = new Input({ wantBody() {}, readOn() {} });
      const got: Buffer[] = [];
      for (const [i, piece] of pieces.entries()) {
        input.push(piece);
        if (i % 7 === 0 && input.buffered >= 997) got.push(read(input));
      }
      input.end();
      got.push(input.read());
      assert.ok(Buffer.concat(got).equals(Buffer.concat(pieces)));
    }
  });
});
