/** PEP 3333 as applications see it, over real connections: environ and responses. */
import assert from 'node:assert/strict';
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { getHub, sleep } from '@tendril/core';
import { type Application, type Environ, FileWrapper, type Header } from '@tendril/wsgi';
import {
  answering,
  ask,
  converse,
  errorsOf,
  get,
  inRealTime,
  leaveNothing,
  open,
  plain,
  readAnswer,
  serving,
  until,
} from './serving.js';

leaveNothing();

/** The environ of one request. */
function environOf(request: string, options = {}): Environ {
  let seen: Environ | undefined;
  const app = answering((environ) => {
    seen = environ;
    return [];
  });
  serving(app, options, (server) => ask(server, request));
  return seen as Environ;
}

describe('environ', () => {
  test(
    'has what CGI, PEP 3333 and gevent have',
    inRealTime(() => {
      const environ = environOf(
        'POST /a%20b/%e4?x=%20&y HTTP/1.1\r\nHost: test:80\r\nContent-Type: text/x\r\n' +
          'Content-Length: 2\r\nX-One: 1\r\nx-one: 2\r\nCookie: a=b\r\nCookie: c=d\r\n\r\nhi',
      );
      const { SERVER_PORT, REMOTE_PORT, ...rest } = environ;
      assert.ok(Number(SERVER_PORT) > 0 && Number(REMOTE_PORT) > 0);
      const texts = Object.fromEntries(
        Object.entries(rest).filter(([, value]) => typeof value === 'string'),
      );
      assert.deepEqual(texts, {
        REQUEST_METHOD: 'POST',
        SCRIPT_NAME: '',
        PATH_INFO: '/a b/\xe4',
        QUERY_STRING: 'x=%20&y',
        REQUEST_URI: '/a%20b/%e4?x=%20&y',
        CONTENT_TYPE: 'text/x',
        CONTENT_LENGTH: '2',
        SERVER_NAME: '127.0.0.1',
        SERVER_PROTOCOL: 'HTTP/1.1',
        SERVER_SOFTWARE: 'tendril',
        GATEWAY_INTERFACE: 'CGI/1.1',
        REMOTE_ADDR: '127.0.0.1',
        'wsgi.url_scheme': 'http',
        HTTP_HOST: 'test:80',
        HTTP_X_ONE: '1,2',
        HTTP_COOKIE: 'a=b; c=d',
      });
      assert.deepEqual(environ['wsgi.version'], [1, 0]);
      assert.equal(environ['wsgi.input_terminated'], true);
      assert.equal(environ['wsgi.file_wrapper'], FileWrapper);
      for (const key of ['wsgi.multithread', 'wsgi.multiprocess', 'wsgi.run_once'])
        assert.equal(environ[key], false);
      assert.equal(environ['tendril.upgrade'], undefined);
    }),
  );

  test(
    'leaves out names with underscores and Proxy, which could pass for something else',
    inRealTime(() => {
      const environ = environOf(
        get('/', 'X_Real_Ip: 1\r\nX-Real-Ip: 2\r\nProxy: http://evil/\r\n__proto__: 1\r\n'),
      );
      assert.equal(environ.HTTP_X_REAL_IP, '2');
      assert.equal('HTTP_PROXY' in environ, false);
      assert.equal(Object.getPrototypeOf(environ), Object.prototype);
    }),
  );

  test(
    'takes the authority of an absolute target for the host',
    inRealTime(() => {
      const environ = environOf('GET http://other:81?q HTTP/1.1\r\nHost: test\r\n\r\n');
      assert.equal(environ.HTTP_HOST, 'other:81');
      assert.equal(environ.PATH_INFO, '/');
      assert.equal(environ.QUERY_STRING, 'q');
    }),
  );

  test(
    'gets additions from the options',
    inRealTime(() => {
      const environ = environOf(get(), { environ: { 'my.db': 7 }, multiprocess: true });
      assert.equal(environ['my.db'], 7);
      assert.equal(environ['wsgi.multiprocess'], true);
    }),
  );
});

describe('responses', () => {
  const bodies: [string, () => ReturnType<Application>, string, 'length' | 'chunks'][] = [
    ['a list of a string', () => ['hällo'], 'h\xc3\xa4llo', 'length'],
    ['a list of bytes', () => [Buffer.from([0, 255])], '\0\xff', 'length'],
    ['a long list item', () => ['x'.repeat(100_000)], 'x'.repeat(100_000), 'length'],
    ['long bytes', () => [Buffer.alloc(100_000, 'y')], 'y'.repeat(100_000), 'length'],
    ['an empty list', () => [], '', 'length'],
    ['an empty string', () => [''], '', 'length'],
    ['several', () => ['a', Buffer.from('b'), '', 'cé'], 'abc\xc3\xa9', 'chunks'],
    [
      'a generator that sleeps',
      function* () {
        for (const piece of ['1', '2', '3']) {
          yield piece;
          sleep(2);
        }
      } as () => ReturnType<Application>,
      '123',
      'chunks',
    ],
    ['a set', () => new Set(['x', 'y']), 'xy', 'chunks'],
    ['a string', () => 'abc' as unknown as ReturnType<Application>, 'abc', 'chunks'],
  ];
  for (const [name, make, body, framing] of bodies) {
    test(
      `of ${name}`,
      inRealTime(() =>
        serving(answering(make), {}, (server) => {
          using socket = open(server);
          for (let i = 0; i < 2; i++) {
            socket.sendAll(get());
            const answer = readAnswer(socket);
            assert.equal(answer.body, body);
            assert.equal(answer.status, 200);
            assert.equal(
              answer.headers.get(framing === 'length' ? 'content-length' : 'transfer-encoding'),
              framing === 'length' ? String(body.length) : 'chunked',
            );
            assert.ok(!answer.headers.has('connection'));
            assert.ok(Math.abs(Date.parse(answer.headers.get('date') ?? '') - Date.now()) < 5000);
          }
          // To HTTP/1.0 without chunks, and the end is the end of the connection.
          const old = converse(server, 'GET / HTTP/1.0\r\n\r\n');
          assert.ok(old.endsWith(`\r\n\r\n${body}`));
          assert.ok(!/transfer-encoding/i.test(old));
          assert.match(old, /\r\nConnection: close\r\n/);
          // HEAD has the same head, and nothing behind it.
          const head = converse(server, 'HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
          assert.ok(head.endsWith('\r\n\r\n') && head.split('\r\n\r\n').length === 2);
        }),
      ),
    );
  }

  test(
    'by write(), mixed with an iterable',
    inRealTime(() => {
      const app: Application = (_environ, start) => {
        const write = start('200 OK', plain);
        write('one ');
        write(Buffer.from('two '));
        return ['three'];
      };
      serving(app, {}, (server) => assert.equal(ask(server, get()).body, 'one two three'));
    }),
  );

  test(
    'that have no body: 204 and 304 end with their head',
    inRealTime(() => {
      const app: Application = (environ, start) => {
        start(
          `${environ.QUERY_STRING} Any`,
          environ.QUERY_STRING === '304' ? [['Content-Length', '9']] : [],
        );
        return ['not to be sent'];
      };
      serving(app, {}, (server) => {
        using socket = open(server);
        for (const code of ['204', '304', '204']) {
          socket.sendAll(get(`/?${code}`));
          const answer = readAnswer(socket);
          assert.equal(answer.status, Number(code));
          assert.equal(answer.headers.get('content-length'), code === '304' ? '9' : undefined);
          assert.ok(!answer.headers.has('transfer-encoding'));
        }
      });
    }),
  );

  test(
    'with their own Date, Content-Length and Connection',
    inRealTime(() => {
      const app: Application = (_environ, start) => {
        start('200 Fine', [
          ['Date', 'Tue, 15 Nov 1994 08:12:31 GMT'],
          ['content-length', '3'],
          ['Connection', 'close'],
          ['Set-Cookie', 'a'],
          ['Set-Cookie', 'b'],
        ]);
        return ['a', 'bc'];
      };
      serving(app, {}, (server) => {
        const text = converse(server, get());
        assert.equal(
          text,
          'HTTP/1.1 200 Fine\r\nDate: Tue, 15 Nov 1994 08:12:31 GMT\r\nSet-Cookie: a\r\n' +
            'Set-Cookie: b\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc',
        );
      });
    }),
  );

  test(
    'of a file, closed at the end and when the client has gone',
    inRealTime(() => {
      const folder = mkdtempSync(path.join(tmpdir(), 'tendril-wsgi-'));
      after(() => rmSync(folder, { recursive: true }));
      const file = path.join(folder, 'file');
      writeFileSync(file, Buffer.alloc(300_000, 'abc'));
      let closed = 0;
      const app = answering((environ) =>
        environ.PATH_INFO === '/fd'
          ? new FileWrapper(openSync(file, 'r'), 10_000)
          : new environ['wsgi.file_wrapper']({
              read: (size) => {
                sleep(1);
                return 'x'.repeat(size);
              },
              close: () => void closed++,
            }),
      );
      serving(app, { killOnDisconnect: true }, (server) => {
        assert.equal(ask(server, get('/fd')).body, 'abc'.repeat(100_000));
        const socket = open(server);
        socket.sendAll(get('/endless'));
        socket.recv();
        socket.destroy();
        until(() => closed > 0);
      });
    }),
  );
});

describe('rules of startResponse', () => {
  const starting =
    (status: string, ...headers: Header[]): Application =>
    (_environ, start) => {
      start(status, headers);
      return [];
    };
  const returning =
    (body: unknown, ...headers: Header[]): Application =>
    (_environ, start) => {
      start('200 A', headers);
      return body as ReturnType<Application>;
    };
  const twice: Application = (_environ, start) => {
    start('200 OK', []);
    start('200 OK', []);
    return [];
  };
  const failures: [string, Application, string][] = [
    ['not called', () => ['x'], 'ERR_WSGI_NOT_STARTED'],
    ['called twice', twice, 'ERR_WSGI_STARTED'],
    ['a status without a reason', starting('200'), 'ERR_WSGI_STATUS'],
    ['a status of 99', starting('099 A'), 'ERR_WSGI_STATUS'],
    ['a status of 101', starting('101 A'), 'ERR_WSGI_STATUS'],
    ['CR LF in a status', starting('200 A\r\nB: c'), 'ERR_WSGI_STATUS'],
    ['CR LF in a value', starting('200 A', ['B', 'c\r\nD: e']), 'ERR_WSGI_HEADER_VALUE'],
    ['LF in a value', starting('200 A', ['B', 'c\nd']), 'ERR_WSGI_HEADER_VALUE'],
    ['NUL in a value', starting('200 A', ['B', '\0']), 'ERR_WSGI_HEADER_VALUE'],
    ['a value beyond latin1', starting('200 A', ['B', '€']), 'ERR_WSGI_HEADER_VALUE'],
    ['a colon in a name', starting('200 A', ['B:', 'c']), 'ERR_WSGI_HEADER_NAME'],
    ['CR LF in a name', starting('200 A', ['B\r\nC', 'c']), 'ERR_WSGI_HEADER_NAME'],
    ['an empty name', starting('200 A', ['', 'c']), 'ERR_WSGI_HEADER_NAME'],
    ['Transfer-Encoding', starting('200 A', ['Transfer-Encoding', 'x']), 'ERR_WSGI_HOP'],
    ['Keep-Alive', starting('200 A', ['keep-alive', 'x']), 'ERR_WSGI_HOP'],
    ['a length of letters', starting('200 A', ['Content-Length', 'x']), 'ERR_WSGI_CONTENT_LENGTH'],
    ['no iterable', returning(7), 'ERR_WSGI_APP'],
    ['numbers in the body', returning([7]), 'ERR_WSGI_BODY_TYPE'],
    ['a body that is too long', returning(['ab'], ['Content-Length', '1']), 'ERR_WSGI_BODY_LONG'],
  ];
  for (const [name, app, code] of failures) {
    test(
      `${name}: ${code}, 500`,
      inRealTime(() =>
        serving(app, {}, (server) => {
          const errors = errorsOf(getHub(), () => {
            const answer = ask(server, get());
            assert.equal(answer.status, 500);
          });
          assert.deepEqual(
            errors.map((error) => (error as { code: string }).code),
            [code],
          );
        }),
      ),
    );
  }

  test(
    'a second call with an error replaces what has not gone out',
    inRealTime(() => {
      const app: Application = (_environ, start) => {
        start('200 OK', []);
        start('500 Mine', plain, new Error('reason'));
        return ['sorry'];
      };
      serving(app, {}, (server) => {
        const answer = ask(server, get());
        assert.equal(`${answer.status} ${answer.reason} ${answer.body}`, '500 Mine sorry');
      });
    }),
  );

  test(
    'a second call with an error throws it once the head has gone out, and the client can tell',
    inRealTime(() => {
      const reason = new Error('reason');
      const app: Application = (_environ, start) => {
        const write = start('200 OK', []);
        write('begun');
        start('500 Mine', [], reason);
        return [];
      };
      serving(app, {}, (server) => {
        const errors = errorsOf(getHub(), () => assert.throws(() => ask(server, get())));
        assert.deepEqual(errors, [reason]);
      });
    }),
  );

  test(
    'an error in the application is 500 and is reported; close() is called all the same',
    inRealTime(() => {
      let closed = 0;
      const app: Application = (environ, start) => {
        start('200 OK', []);
        if (environ.PATH_INFO === '/early') throw new Error('early');
        return {
          *[Symbol.iterator]() {
            if (environ.PATH_INFO === '/late') yield 'a';
            throw new Error('iterating');
          },
          close: () => void closed++,
        };
      };
      serving(app, {}, (server) => {
        const errors = errorsOf(getHub(), () => {
          assert.equal(ask(server, get('/early')).status, 500);
          assert.equal(ask(server, get('/mid')).status, 500);
          assert.throws(() => ask(server, get('/late')), 'the last chunk is missing');
        });
        assert.deepEqual(
          errors.map((error) => (error as Error).message),
          ['early', 'iterating', 'iterating'],
        );
        assert.equal(closed, 2);
      });
    }),
  );

  test(
    'a body shorter than its length breaks the connection off',
    inRealTime(() => {
      const app: Application = (_environ, start) => {
        start('200 OK', [['Content-Length', '5']]);
        return ['abc'];
      };
      serving(app, {}, (server) => {
        const errors = errorsOf(getHub(), () => assert.throws(() => ask(server, get())));
        assert.equal((errors[0] as { code: string }).code, 'ERR_WSGI_BODY_SHORT');
      });
    }),
  );
});
