/** Connections: keep-alive, pipelining, refusals, limits, time, clients that go. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AsyncResult, Event, Pool, sleep, spawn, Timeout } from '@tendril/core';
import type { Application } from '@tendril/wsgi';
import { refusals } from '#src/http1/request-error.js';
import { badCases } from './parser-cases.js';
import {
  pathApp as app,
  ask,
  converse,
  get,
  inRealTime,
  leaveNothing,
  open,
  patience,
  readAnswer,
  serving,
  times,
  until,
} from './serving.js';

leaveNothing();

describe('one connection', () => {
  test(
    'serves many requests, one after the other',
    inRealTime(() =>
      serving(app, {}, (server) => {
        using socket = open(server);
        for (let i = 0; i < 50; i++) {
          socket.sendAll(get(`/${i}`));
          assert.equal(readAnswer(socket).body, `/${i}`);
        }
        assert.equal(server.statistics().connections, 1);
        assert.equal(server.statistics().requests, 50);
      }),
    ),
  );

  test(
    'answers pipelined requests in order, whatever each takes',
    inRealTime(() =>
      serving(app, {}, (server) => {
        using socket = open(server);
        const paths = Array.from({ length: 40 }, (_, i) => `/${i}`);
        socket.sendAll(paths.map((each, i) => get(`${each}?${i % 3}`)).join(''));
        for (const each of paths) assert.equal(readAnswer(socket).body, each);
      }),
    ),
  );

  test(
    'takes no more pipelined requests than fit, and goes on when there is room',
    inRealTime(() => {
      const gate = new Event();
      const waiting: Application = (environ, start) => {
        gate.wait();
        return app(environ, start);
      };
      serving(waiting, {}, (server) => {
        using socket = open(server);
        const request = get('/x', `A: ${'a'.repeat(1000)}\r\n`);
        let sent = 0;
        const sender = spawn(() => {
          for (; sent < 20_000; sent++) socket.sendAll(request);
        });
        let before: number;
        do {
          before = sent;
          sleep(50);
        } while (sent > before);
        assert.ok(!sender.ready(), 'the client has to wait: 20 MB do not fit anywhere');
        sender.kill();
        gate.set();
      });
    }),
  );

  for (const [name, request] of [
    ['Connection: close', get('/', 'Connection: close\r\n')],
    ['Connection: Keep-Alive, Close', get('/', 'Connection: Keep-Alive, Close\r\n')],
    ['HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\n\r\n'],
  ] as const) {
    test(
      `ends after ${name}, and looks at nothing that follows`,
      inRealTime(() =>
        serving(app, {}, (server) => {
          const text = converse(server, `${request}${get('/second')}`);
          assert.equal(text.match(/HTTP\/1.1 /g)?.length, 1);
          assert.match(text, /\r\nConnection: close\r\n/);
          assert.equal(server.statistics().requests, 1);
        }),
      ),
    );
  }

  test(
    'stays open in HTTP/1.0 when the client asks for it',
    inRealTime(() =>
      serving(app, {}, (server) => {
        using socket = open(server);
        for (let i = 0; i < 3; i++) {
          socket.sendAll('GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
          const answer = readAnswer(socket);
          assert.equal(answer.headers.get('connection'), 'keep-alive');
          assert.equal(answer.body, '/a');
        }
      }),
    ),
  );

  test(
    'throws an unread body away, if it is not too long, and never takes it for a request',
    inRealTime(() =>
      serving(app, {}, (server) => {
        using socket = open(server);
        const body = get('/smuggled');
        const head = `POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`;
        socket.sendAll(head);
        assert.equal(readAnswer(socket).body, '/a');
        socket.sendAll(body + get('/b'));
        assert.equal(readAnswer(socket).body, '/b');
        const long = 'POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n';
        assert.match(converse(server, long), /Connection: close/);
      }),
    ),
  );

  test(
    'gives the whole answer to a client that has ended its side',
    inRealTime(() =>
      serving(app, {}, (server) => {
        using socket = open(server);
        socket.sendAll(get('/a?20') + get('/b?20'));
        socket.end();
        assert.equal(readAnswer(socket).body, '/a');
        const last = readAnswer(socket);
        assert.equal(last.body, '/b');
        assert.equal(socket.recv().length, 0);
      }),
    ),
  );
});

describe('what is refused', () => {
  test(
    'gets its status, and then the end',
    inRealTime(() =>
      serving(app, {}, (server) => {
        const inHead = badCases.filter(
          ({ code, input }) => !/CHUNK|TRAILER/.test(code) && !/\r\n\r\n0\r\n/.test(input),
        );
        let checked = 0;
        for (const { name, input, code } of inHead) {
          // An application that reads no body does not see what is wrong in it.
          const text = converse(server, input);
          if (!text.startsWith('HTTP/1.1 200')) {
            assert.match(text, new RegExp(`^HTTP/1.1 ${refusals[code][0]} `), name);
            assert.match(text, /\r\nConnection: close\r\n/, name);
            checked++;
          }
          assert.ok(text.match(/HTTP\/1.1 /g)?.length === 1, name);
        }
        assert.ok(checked > 100, `${checked}`);
      }),
    ),
  );

  test(
    'refuses a body that is too long before the application runs',
    inRealTime(() =>
      serving(app, { maxBodySize: 10 }, (server) => {
        const text = converse(server, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n');
        assert.match(text, /^HTTP\/1.1 413 /);
        assert.equal(server.statistics().requests, 0);
        assert.equal(server.statistics().refused, 1);
      }),
    ),
  );
});

describe('limits', () => {
  test(
    'connections beyond the limit get 503',
    inRealTime(() =>
      serving(app, { maxConnections: 2 }, (server) => {
        using first = open(server);
        using second = open(server);
        for (const socket of [first, second]) {
          socket.sendAll(get());
          readAnswer(socket);
        }
        assert.match(converse(server, get()), /^HTTP\/1.1 503 [\s\S]*Retry-After: 1/);
        assert.equal(server.statistics().rejected, 1);
        first.destroy();
        until(() => server.statistics().connections < 2);
        assert.equal(ask(server, get()).status, 200);
      }),
    ),
  );

  test(
    'a pool runs as many requests as it has places; those beyond maxWaiting get 503',
    inRealTime(() => {
      let most = 0;
      let running = 0;
      const gate = new Event();
      const counted: Application = (environ, start) => {
        most = Math.max(most, ++running);
        gate.wait();
        running--;
        return app(environ, start);
      };
      serving(counted, { spawn: 2, maxWaiting: 3 }, (server) => {
        const all = times(8, () => ask(server, get()).status);
        using _limit = Timeout.startNew(patience);
        while (server.statistics().refused < 3) sleep(1);
        gate.set();
        const statuses = all.map((each) => each.get()).sort();
        assert.deepEqual(statuses, [200, 200, 200, 200, 200, 503, 503, 503]);
        assert.equal(most, 2);
      });
    }),
  );

  test(
    'a request whose greenlet never comes to run gets 503',
    inRealTime(() => {
      class Killer extends Pool {
        override startOrQueue(...[greenlet, place]: Parameters<Pool['startOrQueue']>): boolean {
          const starts = super.startOrQueue(greenlet, place);
          greenlet.kill({ block: false });
          return starts;
        }
      }
      const app = () => assert.fail('it ran');
      serving(app, { spawn: new Killer(2) }, (server) => {
        assert.match(converse(server, get() + get()), /^HTTP\/1.1 503 Service Unavailable\r\n/);
        assert.equal(server.statistics().requests, 1);
      });
    }),
  );
});

describe('time', () => {
  const limits = {
    headersTimeout: 100,
    bodyTimeout: 100,
    requestTimeout: 1000,
    keepAliveTimeout: 100,
    sendTimeout: 150,
  };

  test(
    'an idle connection is closed without a word, a head that does not end gets 408',
    inRealTime(() =>
      serving(app, limits, (server) => {
        assert.equal(converse(server, ''), '');
        assert.match(converse(server, 'GET / HTTP/1.1\r\nHo'), /^HTTP\/1.1 408 /);
        using socket = open(server);
        socket.sendAll(get());
        readAnswer(socket);
        const since = performance.now();
        assert.equal(socket.recv().length, 0);
        const passed = performance.now() - since;
        assert.ok(passed >= 95 && passed < 10_000, `${passed}`);
      }),
    ),
  );

  test(
    'a head that dribbles is given up, however often a byte comes',
    inRealTime(() =>
      serving(app, limits, (server) => {
        using socket = open(server);
        const dribbler = spawn(() => {
          for (const byte of get('/', `A: ${'a'.repeat(1000)}\r\n`)) {
            socket.sendAll(byte);
            sleep(10);
          }
        });
        assert.equal(readAnswer(socket).status, 408);
        dribbler.kill();
      }),
    ),
  );

  test(
    'a body that stalls is an error for who reads it, and 408; one that dribbles is, too',
    inRealTime(() => {
      const reading: Application = (environ, start) => {
        environ['wsgi.input'].read();
        return app(environ, start);
      };
      serving(reading, limits, (server) => {
        const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n';
        assert.match(converse(server, `${head}abc`), /^HTTP\/1.1 408 /);
        using socket = open(server);
        socket.sendAll(head);
        const since = performance.now();
        const dribbler = spawn(() => {
          for (let i = 0; i < 1000; i++) {
            socket.sendAll('x');
            sleep(20);
          }
        });
        assert.equal(readAnswer(socket).status, 408);
        assert.ok(performance.now() - since > 900);
        dribbler.kill();
      });
    }),
  );

  test(
    'a client that takes nothing is given up, and the memory for it is bounded',
    inRealTime(() => {
      const ended = new AsyncResult<unknown>();
      let produced = 0;
      const endless: Application = (_environ, start) => {
        start('200 OK', []);
        return (function* () {
          try {
            for (;;) {
              produced += 65_536;
              yield Buffer.alloc(65_536);
            }
          } finally {
            ended.set(true);
          }
        })();
      };
      serving(endless, limits, (server) => {
        using socket = open(server);
        socket.sendAll(get());
        assert.equal(ended.get({ timeout: patience }), true);
        assert.ok(produced < 20_000_000, `${produced}`);
      });
    }),
  );

  test(
    'a request that takes long is not limited',
    inRealTime(() =>
      serving(app, limits, (server) => assert.equal(ask(server, get('/a?400')).body, '/a')),
    ),
  );
});

describe('a client that goes', () => {
  /** What happens to a request when its client does `leave`. */
  const outcome = (killOnDisconnect: boolean | undefined, leave: 'fin' | 'reset'): string => {
    const ended = new AsyncResult<string>();
    const [begun, noticed] = [new Event(), new Event()];
    const slow: Application = (environ, start) => {
      if (environ.PATH_INFO !== '/') return app(environ, start);
      let how = 'killed';
      try {
        begun.set();
        noticed.wait();
        how = 'ran to its end';
      } finally {
        ended.set(how);
      }
      start('200 OK', []);
      return [];
    };
    const options = killOnDisconnect === undefined ? {} : { killOnDisconnect };
    return serving(slow, options, (server) => {
      const socket = open(server);
      socket.sendAll(get());
      begun.wait();
      const net = socket.stream as import('node:net').Socket;
      if (leave === 'reset') net.resetAndDestroy();
      else socket.destroy();
      // By the time that others who came later have been answered, the server has seen it.
      for (let i = 0; i < 3; i++) converse(server, 'GET /other HTTP/1.0\r\n\r\n');
      noticed.set();
      return ended.get({ timeout: patience });
    });
  };
  const table = [
    [true, 'fin', 'killed'],
    [true, 'reset', 'killed'],
    [undefined, 'fin', 'ran to its end'],
    [undefined, 'reset', 'killed'],
    [false, 'fin', 'ran to its end'],
    [false, 'reset', 'ran to its end'],
  ] as const;
  for (const [option, leave, expected] of table) {
    test(
      `by ${leave} with killOnDisconnect ${option}: its request is ${expected}`,
      inRealTime(() => assert.equal(outcome(option, leave), expected)),
    );
  }
});
