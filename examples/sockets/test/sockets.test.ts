import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { run, sleep, spawn, Timeout } from '@tendril/core';
import { StreamServer } from '@tendril/core/server';
import { connect, type Socket } from '@tendril/core/socket';
import { checkLeaks } from '@tendril/core/testing';
import { chatServer } from '#src/chat.js';
import { linesOf, ways, works } from '#src/echo/compare.js';
import { simulate } from '#src/pairing.js';
import { proxy } from '#src/proxy.js';

after(() => checkLeaks());

const loopback = { port: 0, host: '127.0.0.1' };

describe('echo servers', () => {
  for (const way of ways) test(way, () => run(() => assert.equal(works(way, 8, 200_000), true)));
  test('the one with greenlets is the shortest', () => {
    const others = ways.filter((way) => way !== 'greenlets').map(linesOf);
    assert.ok(linesOf('greenlets') < Math.min(...others));
  });
});

test('the proxy passes everything on, both ways, to the end', () =>
  run(() => {
    using echo = new StreamServer(loopback, (socket) => {
      for (const chunk of socket) socket.sendAll(chunk);
      socket.sendAll('that was all');
    });
    echo.start();
    using between = proxy(loopback, { host: '127.0.0.1', port: echo.port });
    between.start();
    const clients = Array.from({ length: 10 }, (_, i) =>
      spawn(() => {
        using socket = connect({ host: '127.0.0.1', port: between.port });
        const sent = Buffer.alloc(300_000, `client ${i}`);
        const sender = spawn(() => {
          socket.sendAll(sent);
          socket.end();
        });
        const got = socket.readAll();
        sender.get();
        assert.equal(got.length, sent.length + 12);
        assert.equal(got.subarray(0, sent.length).equals(sent), true);
      }),
    );
    for (const client of clients) client.get();
    between.stop();
    echo.stop();
  }));

test('the chat room', () =>
  run(() => {
    using server = chatServer(loopback);
    server.start();
    const enter = () => connect({ host: '127.0.0.1', port: server.port });
    const lines = (socket: Socket, count: number) =>
      Array.from({ length: count }, () => socket.readLine({ timeout: 60_000 }));
    using ann = enter();
    assert.deepEqual(lines(ann, 1), ['* guest1 is here']);
    ann.sendAll('/nick ann\n');
    assert.deepEqual(lines(ann, 1), ['* guest1 is ann now']);
    using bob = enter();
    assert.deepEqual(lines(bob, 1), ['* guest2 is here']);
    bob.sendAll('/nick ann\n/who\n/dance\nhello\n');
    assert.deepEqual(lines(bob, 4), [
      '* ann is taken',
      '* ann, guest2',
      '* commands: /nick name, /who, /quit',
      'guest2: hello',
    ]);
    assert.deepEqual(lines(ann, 2), ['* guest2 is here', 'guest2: hello']);
    bob.sendAll('/quit\n');
    assert.equal(bob.recv().length, 0);
    assert.deepEqual(lines(ann, 1), ['* guest2 has gone']);
    // Who sends a line without end has to go.
    using endless = enter();
    lines(ann, 1);
    endless.sendAll('x'.repeat(2000));
    assert.deepEqual(lines(ann, 1), ['* guest3 has gone']);
    server.stop({ timeout: 0 });
  }));

test('pairs of strangers: all are heard, and nobody at rest has a stack', () =>
  run(() => {
    using _limit = Timeout.startNew(120_000);
    const users = 400;
    const report = simulate(users);
    assert.equal(report.pairs, users / 2);
    assert.equal(report.greenlets, 1);
    sleep(0);
  }));
