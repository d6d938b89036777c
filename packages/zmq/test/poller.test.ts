import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { isExit, joinall, sleep, spawn, Timeout } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import * as zmq from '@tendril/zmq';
import { dealerAndRouter, inGreenlet, pipeline, text, until } from './helpers.js';

describe('Poller', () => {
  after(() => checkLeaks());

  test(
    'tells which of several sockets are ready, and takes nothing away',
    inGreenlet(() => {
      using a = pipeline();
      using b = pipeline();
      using c = pipeline();
      const poller = new zmq.Poller();
      for (const { to } of [a, b, c]) poller.register(to);
      assert.deepEqual(poller.poll({ timeout: 20 }), []);
      const waiting = spawn(() => poller.poll());
      sleep(0);
      b.from.send('b');
      assert.deepEqual(waiting.get(), [b.to]);
      assert.deepEqual(poller.poll(), [b.to]);
      c.from.send('c1');
      c.from.send('c2');
      until(() => poller.poll().length === 2);
      assert.deepEqual(poller.poll(), [b.to, c.to]);
      assert.deepEqual(text(b.to.receive()), ['b']);
      assert.deepEqual(text(c.to.receive()), ['c1']);
      assert.deepEqual(poller.poll(), [c.to]);
      assert.deepEqual(text(c.to.receive()), ['c2']);
      assert.deepEqual(poller.poll({ timeout: 0 }), []);
      poller.unregister(c.to);
      c.from.send('c3');
      assert.deepEqual(poller.poll({ timeout: 50 }), []);
    }),
  );

  test(
    'waits for room',
    inGreenlet(() => {
      using sockets = pipeline({ sendHighWaterMark: 2 }, { receiveHighWaterMark: 2 });
      const { from, to } = sockets;
      const body = Buffer.alloc(500_000);
      const poller = new zmq.Poller();
      poller.register(from, { writable: true });
      assert.throws(() => poller.register(to, { writable: true }), { code: 'ERR_INVALID_ARG' });
      let sent = 0;
      // libzmq's own thread makes room as long as the system's buffers have some.
      let waiting = spawn(() => poller.poll());
      for (sleep(0); waiting.ready(); sleep(0)) {
        for (; poller.poll({ timeout: 100 }).length > 0; sent++) from.send(body);
        waiting = spawn(() => poller.poll());
      }
      assert.ok(sent > 1 && sent < 100, `${sent}`);
      for (let i = 0; i < sent; i++) to.receive();
      assert.deepEqual(waiting.get({ timeout: 10_000 }), [from]);
    }),
  );

  test(
    'ends by a kill, a timeout, and the close of a socket',
    inGreenlet(() => {
      const a = new zmq.Pull();
      const poller = new zmq.Poller();
      poller.register(a);
      const killed = spawn(() => poller.poll());
      const closed = spawn(() => poller.poll());
      sleep(0);
      killed.kill();
      assert.ok(isExit(killed.value));
      {
        using limit = Timeout.startNew(10);
        assert.throws(
          () => poller.poll(),
          (error) => error === limit,
        );
      }
      a.close();
      assert.throws(() => closed.get({ timeout: 10_000 }), { code: 'ERR_SOCKET_CLOSED' });
      assert.throws(() => poller.poll(), { code: 'ERR_SOCKET_CLOSED' });
    }),
  );
});

describe('proxy', () => {
  after(() => checkLeaks());

  test(
    'between clients and three workers, with a copy of everything',
    inGreenlet(() => {
      using front = new zmq.Router({ linger: 0 });
      using back = new zmq.Dealer({ linger: 0 });
      using capture = new zmq.Pair({ linger: 0 });
      using copies = new zmq.Pair({ linger: 0 });
      front.bind('tcp://127.0.0.1:*');
      back.bind('tcp://127.0.0.1:*');
      capture.bind('inproc://copies');
      copies.connect('inproc://copies');
      const carrying = spawn(() => zmq.proxy(front, back, capture));
      const served = [0, 0, 0];
      const workers = served.map((_, i) =>
        spawn(() => {
          using worker = new zmq.Reply({ linger: 0 });
          worker.connect(back.lastEndpoint as string);
          for (const [question] of worker) {
            served[i] = (served[i] ?? 0) + 1;
            sleep(1);
            worker.send(`${question}!`);
          }
        }),
      );
      const clients = Array.from({ length: 12 }, (_, i) =>
        spawn(() => {
          using client = new zmq.Request({ linger: 0 });
          client.connect(front.lastEndpoint as string);
          for (let n = 0; n < 5; n++) {
            client.send(`${i}.${n}`);
            assert.deepEqual(text(client.receive()), [`${i}.${n}!`]);
          }
        }),
      );
      joinall(clients);
      for (const each of clients) each.get();
      assert.ok(
        served.every((count) => count > 0),
        served.join(),
      );
      for (let i = 0; i < 2 * 12 * 5; i++) copies.receive({ timeout: 10_000 });
      carrying.kill();
      assert.ok(isExit(carrying.value));
      for (const worker of workers) worker.kill();
    }),
  );

  test(
    'ends by close; one way where the sockets have only one',
    inGreenlet(() => {
      using into = pipeline();
      using out = pipeline();
      const carrying = spawn(() => zmq.proxy(into.to, out.from));
      into.from.send(['a', 'b']);
      assert.deepEqual(text(out.to.receive()), ['a', 'b']);
      into.to.close();
      carrying.get({ timeout: 10_000 });
      assert.throws(() => zmq.proxy(into.to, out.to), { code: 'ERR_INVALID_ARG' });
    }),
  );

  test(
    'a kill loses nothing of what it was carrying',
    inGreenlet(() => {
      using sockets = dealerAndRouter();
      using nobody = new zmq.Push({ linger: 0 });
      const carrying = spawn(() => zmq.proxy(sockets.router, nobody));
      sockets.dealer.send('1');
      sockets.dealer.send('2');
      until(() => sockets.router.readable); // the first one is on its way, the second waits
      carrying.kill();
      assert.equal(`${sockets.router.receive()[1]}`, '1');
      assert.equal(`${sockets.router.receive()[1]}`, '2');
    }),
  );

  test(
    'as a class: it parks, pauses, and closes its sockets at its end',
    inGreenlet(() => {
      using into = pipeline();
      using out = pipeline();
      const carrier = new zmq.Proxy(into.to, out.from);
      assert.equal(carrier.frontEnd, into.to);
      assert.equal(carrier.backEnd, out.from);
      const running = spawn(() => carrier.run());
      into.from.send('1');
      assert.deepEqual(text(out.to.receive()), ['1']);
      assert.throws(() => carrier.run(), { code: 'ERR_CONCURRENT_USE' });
      carrier.pause();
      into.from.send('2');
      into.from.send('3');
      until(() => into.to.readable); // the second one is held, the third waits
      assert.equal(out.to.readable, false);
      carrier.resume();
      assert.deepEqual(text(out.to.receive()), ['2']);
      assert.deepEqual(text(out.to.receive()), ['3']);
      carrier.terminate();
      running.get({ timeout: 10_000 });
      assert.ok(into.to.closed && out.from.closed);
    }),
  );
});
