/** PEP 3333 as applications see it, over real connections. */
import assert from 'node:assert/strict';
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { getHub, sleep, Timeout } from '@tendril/core';
import {
  type Application,
  type Environ,
  FileWrapper,
  fetchApp,
  type Header,
  RequestError,
  type StartResponse,
} from '@tendril/wsgi';
import {
  ask,
  converse,
  errorsOf,
  get,
  inRealTime,
  leaveNothing,
  open,
  readAnswer,
  serving,
} from './serving.js';

leaveNothing();

const plain: Header[] = [['Content-Type', 'text/plain']];

/** An application that answers with what `make` returns. */
function answering(
  make: (environ: Environ, start: StartResponse) => ReturnType<Application>,
): Application {
  return (environ, start) => {
    start('200 OK', plain);
    return make(environ, start);
  };
}

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
        using _limit = Timeout.startNew(2000);
        while (closed === 0) sleep(2);
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
        sleep(5);
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
});

describe('fetchApp', () => {
  const server = (handler: Parameters<typeof fetchApp>[0], body: Parameters<typeof serving>[2]) =>
    serving(fetchApp(handler), {}, body);

  test(
    'hands over method, URL, headers and body, and sends a streamed response',
    inRealTime(() =>
      server(
        async (request) => {
          const { searchParams, pathname, host } = new URL(request.url);
          const text = request.body ? await request.text() : 'none';
          const stream = new ReadableStream({
            async start(controller) {
              for (const part of [
                request.method,
                pathname,
                host,
                searchParams.get('q'),
                request.headers.get('x-a'),
                text,
              ]) {
                await new Promise((resolve) => setTimeout(resolve, 1));
                controller.enqueue(new TextEncoder().encode(`${part};`));
              }
              controller.close();
            },
          });
          return new Response(stream, {
            status: 201,
            statusText: 'Made',
            headers: [
              ['Set-Cookie', 'a'],
              ['Set-Cookie', 'b'],
            ],
          });
        },
        (server) => {
          const answer = ask(
            server,
            'POST /p?q=1 HTTP/1.1\r\nHost: here\r\nX-A: x\r\nContent-Length: 4\r\n\r\nbody',
          );
          assert.equal(answer.body, 'POST;/p;here;1;x;body;');
          assert.equal(`${answer.status} ${answer.reason}`, '201 Made');
          assert.equal(ask(server, get('/')).body, 'GET;/;test;null;null;none;');
        },
      ),
    ),
  );

  test(
    'a handler may park in place of a promise',
    inRealTime(() =>
      server(
        () => {
          sleep(2);
          return Response.json({ ok: true });
        },
        (server) => {
          const answer = ask(server, get());
          assert.deepEqual(JSON.parse(answer.body), { ok: true });
          assert.equal(answer.headers.get('content-type'), 'application/json');
        },
      ),
    ),
  );

  test(
    'a rejection is 500',
    inRealTime(() =>
      server(
        () => Promise.reject(new Error('no')),
        (server) => {
          const errors = errorsOf(getHub(), () => assert.equal(ask(server, get()).status, 500));
          assert.equal((errors[0] as Error).message, 'no');
        },
      ),
    ),
  );

  test(
    'a stream is cancelled when the client goes',
    inRealTime(() => {
      let cancelled = false;
      server(
        () =>
          new Response(
            new ReadableStream({
              async pull(controller) {
                await new Promise((resolve) => setTimeout(resolve, 1));
                controller.enqueue(new Uint8Array(1000));
              },
              cancel() {
                cancelled = true;
              },
            }),
          ),
        (server) => {
          const socket = open(server);
          socket.sendAll(get());
          socket.recv();
          socket.destroy();
          using _limit = Timeout.startNew(3000);
          while (!cancelled) sleep(2);
        },
      );
    }),
  );
});
