/** Whose AsyncLocalStorage a request has, and whose peer it is told. */
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, test } from 'node:test';
import { sleep, spawn } from '@tendril/core';
import { connect } from '@tendril/core/socket';
import { type AccessRecord, type Application, type Upgrade, WSGIServer } from '@tendril/wsgi';
import { converse, get, inRealTime, leaveNothing, open, readAnswer, serving } from './serving.js';

leaveNothing();

const storage = new AsyncLocalStorage<string>();
const telling: Application = (environ, start) => {
  const before = storage.getStore() ?? 'nothing';
  storage.enterWith(environ.PATH_INFO);
  if (environ.QUERY_STRING) sleep(Number(environ.QUERY_STRING));
  start('200 OK', []);
  return [before];
};

describe('a request starts in the context of its server', () => {
  const requests: [string, string][] = [
    ['that follow each other', ''],
    ['that park', '?1'],
  ];
  for (const [name, query] of requests) {
    test(
      `never in that of the request before it: requests ${name}`,
      inRealTime(() =>
        serving(telling, {}, (server) => {
          using socket = open(server);
          socket.sendAll(get(`/a${query}`) + get(`/b${query}`) + get(`/c${query}`));
          for (let i = 0; i < 3; i++) assert.equal(readAnswer(socket).body, 'nothing');
          socket.sendAll(get('/d'));
          assert.equal(readAnswer(socket).body, 'nothing');
        }),
      ),
    );
  }

  test(
    'not behind a body that was thrown away, a response that waited, or a place in a pool',
    inRealTime(() =>
      serving(telling, { spawn: 1 }, (server) => {
        using socket = open(server);
        const unread = 'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n';
        socket.sendAll(unread);
        assert.equal(readAnswer(socket).body, 'nothing');
        socket.sendAll(`body${get('/b?5')}`);
        using other = open(server);
        other.sendAll(get('/c?5') + get('/d'));
        for (const each of [socket, other, other]) assert.equal(readAnswer(each).body, 'nothing');
      }),
    ),
  );

  test(
    'it is that of who started it',
    inRealTime(() => {
      const server = new WSGIServer({ port: 0, host: '127.0.0.1' }, telling);
      storage.run('starter', () => server.start());
      using socket = open(server);
      socket.sendAll(get('/a') + get('/b'));
      assert.equal(readAnswer(socket).body, 'starter');
      assert.equal(readAnswer(socket).body, 'starter');
      server.stop();
    }),
  );

  test(
    'who took a connection over keeps his own, and the next client has none of it',
    inRealTime(() => {
      const seen: unknown[] = [];
      const app: Application = (environ, start) => {
        const upgrade = environ['tendril.upgrade'] as Upgrade | undefined;
        if (!upgrade) return telling(environ, start);
        storage.enterWith('mine');
        const socket = upgrade();
        socket.sendAll('hello');
        for (const _ of socket) seen.push(storage.getStore());
        return [];
      };
      serving(app, {}, (server) => {
        using socket = open(server);
        socket.sendAll(get('/', 'Connection: upgrade\r\nUpgrade: x\r\n'));
        socket.recvExactly(5);
        socket.sendAll('1');
        assert.match(converse(server, get('/', 'Connection: close\r\n')), /nothing$/);
        socket.end();
        socket.readAll();
        assert.deepEqual(seen, ['mine']);
      });
    }),
  );

  test(
    'the log of a refused request has none of the request before it',
    inRealTime(() => {
      const stores: [number, string][] = [];
      const log = (record: AccessRecord) =>
        void stores.push([record.status, storage.getStore() ?? 'nothing']);
      serving(telling, { log }, (server) => {
        converse(server, `${get('/a')}nonsense\r\n\r\n`);
        assert.deepEqual(
          stores.filter(([status]) => status === 400),
          [[400, 'nothing']],
        );
      });
    }),
  );
});

test(
  'an IPv4 client of a listener for both families has its IPv4 address',
  inRealTime(() => {
    const records: AccessRecord[] = [];
    const app: Application = (environ, start) => {
      start('200 OK', []);
      return [environ.REMOTE_ADDR];
    };
    const log = (record: AccessRecord) => void records.push(record);
    const server = new WSGIServer({ port: 0, host: '::' }, app, { log });
    server.start();
    const addresses = ['127.0.0.1', '::1'].map((host) => {
      using socket = connect({ host, port: server.port });
      socket.sendAll(get());
      return readAnswer(socket).body;
    });
    assert.deepEqual(addresses, ['127.0.0.1', '::1']);
    assert.deepEqual(
      records.map((each) => each.remoteAddress),
      addresses,
    );
    server.stop();
  }),
);

test(
  'greenlets of requests on one connection do not hold each other',
  inRealTime(() => {
    const spawners: unknown[] = [];
    const app: Application = (_environ, start) => {
      spawners.push(spawn(() => {}).spawningGreenlet?.spawningGreenlet);
      start('200 OK', []);
      return [''];
    };
    serving(app, {}, (server) => {
      converse(server, get() + get() + get('/', 'Connection: close\r\n'));
      assert.deepEqual(spawners, [undefined, undefined, undefined]);
    });
  }),
);
