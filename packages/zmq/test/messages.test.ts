import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { after, describe, test } from 'node:test';
import { joinall, sleep, spawn, Timeout } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import * as zmq from '@tendril/zmq';
import { dealerAndRouter, inGreenlet, pipeline, text, until } from './helpers.js';

describe('messages', () => {
  after(() => checkLeaks());

  test(
    'every class talks to its counterpart',
    inGreenlet(() => {
      const counterparts = [
        [zmq.Pair, zmq.Pair],
        [zmq.Request, zmq.Reply],
        [zmq.Push, zmq.Pull],
        [zmq.Dealer, zmq.Dealer],
      ] as const;
      for (const [From, To] of counterparts) {
        using to = new To({ linger: 0 });
        using from = new From({ linger: 0 });
        to.bind('tcp://127.0.0.1:*');
        from.connect(to.lastEndpoint as string);
        from.send(['a', Buffer.from('b'), null]);
        assert.deepEqual(text(to.receive()), ['a', 'b', '']);
      }
    }),
  );

  test(
    'publishers and subscribers, plain and extended',
    inGreenlet(() => {
      using publisher = new zmq.XPublisher({ linger: 0 });
      using subscriber = new zmq.Subscriber();
      using extended = new zmq.XSubscriber({ linger: 0 });
      publisher.bind('tcp://127.0.0.1:*');
      subscriber.connect(publisher.lastEndpoint as string);
      extended.connect(publisher.lastEndpoint as string);
      subscriber.subscribe('news');
      assert.deepEqual(publisher.receive(), [Buffer.from('\u0001news')]);
      extended.send('\u0001sport');
      assert.deepEqual(publisher.receive(), [Buffer.from('\u0001sport')]);
      for (const message of ['weather', 'sport', 'news']) publisher.send(message);
      assert.deepEqual(text(subscriber.receive()), ['news']);
      assert.deepEqual(text(extended.receive()), ['sport']);
      subscriber.unsubscribe('news');
      assert.deepEqual(publisher.receive(), [Buffer.from('\u0000news')]);
    }),
  );

  test(
    'a stream speaks to a plain TCP client of another stream',
    inGreenlet(() => {
      using server = new zmq.Stream({ linger: 0 });
      using client = new zmq.Stream({ linger: 0, notify: false });
      server.bind('tcp://127.0.0.1:*');
      client.connect(server.lastEndpoint as string, { routingId: 'server' });
      const [id, opened] = server.receive();
      assert.equal(opened.length, 0);
      until(() => {
        try {
          client.send(['server', 'hello']);
          return true;
        } catch (error) {
          assert.equal((error as { code: string }).code, 'EHOSTUNREACH');
          return false;
        }
      });
      assert.deepEqual(String(server.receive()[1]), 'hello');
      server.send([id, 'hi']);
      assert.equal(String(client.receive()[1]), 'hi');
    }),
  );

  test(
    '200 greenlets over one Dealer: each gets an answer, in the order of their calls',
    inGreenlet(() => {
      using sockets = dealerAndRouter();
      const { dealer, router } = sockets;
      const server = spawn(() => {
        for (const message of router) router.send(message);
      });
      const answers: string[] = [];
      const askers = Array.from({ length: 200 }, (_, i) =>
        spawn(() => {
          dealer.send(`${i}`);
          const [answer] = dealer.receive();
          answers.push(`${answer}`);
          return `${answer}`;
        }),
      );
      joinall(askers);
      const expected = askers.map((_, i) => `${i}`);
      assert.deepEqual(answers, expected);
      assert.deepEqual(
        askers.map((each) => each.get()),
        expected,
      );
      server.kill();
    }),
  );

  test(
    'send() parks at the high-water mark, and senders keep their order',
    inGreenlet(() => {
      using sockets = pipeline({ sendHighWaterMark: 5 }, { receiveHighWaterMark: 5 });
      const { from, to } = sockets;
      const body = Buffer.alloc(200_000);
      let sent = 0;
      const sender = spawn(() => {
        for (; sent < 200; sent++) from.send([`${sent}`, body]);
      });
      const second = spawn(() => from.send('last'));
      // libzmq's own thread makes room as long as the system's buffers have some.
      let late = 0;
      until(() => {
        try {
          from.send('late', { timeout: 20 });
          late++;
          return false;
        } catch (error) {
          assert.ok(error instanceof Timeout);
          return true;
        }
      });
      assert.ok(sent > 5 && sent < 100, `${sent} went out though nobody receives`);
      const numbers: string[] = [];
      for (let n = 0; n < 201 + late; n++) numbers.push(`${to.receive()[0]}`);
      sender.join();
      second.join();
      assert.deepEqual(
        numbers.filter((each) => each !== 'last' && each !== 'late'),
        Array.from({ length: 200 }, (_, i) => `${i}`),
      );
      const went = numbers.filter((each) => each === 'late').length;
      assert.equal(went, late, 'what was timed out never went out');
      from.send('end');
      assert.deepEqual(text(to.receive()), ['end']);
    }),
  );

  test(
    'a Router that must deliver says so, and waits for room',
    inGreenlet(() => {
      using sockets = dealerAndRouter({ sendHighWaterMark: 2, receiveHighWaterMark: 2 });
      const { dealer, router } = sockets;
      router.mandatory = true;
      assert.throws(() => router.send(['nobody', 'x']), { code: 'EHOSTUNREACH' });
      dealer.send('here');
      const [id] = router.receive();
      const body = Buffer.alloc(300_000);
      let sent = 0;
      const sender = spawn(() => {
        for (; sent < 60; sent++) router.send([id as Buffer, `${sent}`, body]);
      });
      until(() => sent > 4); // more than the high-water marks of both sides
      assert.equal(sender.ready(), false);
      for (let i = 0; i < 60; i++) assert.equal(`${dealer.receive()[0]}`, `${i}`);
      sender.get();
    }),
  );

  test(
    'AsyncLocalStorage is kept',
    inGreenlet(() => {
      using sockets = pipeline();
      const storage = new AsyncLocalStorage<number>();
      const all = Array.from({ length: 20 }, (_, i) =>
        spawn(() =>
          storage.run(i, () => {
            sockets.to.receive();
            return storage.getStore();
          }),
        ),
      );
      sleep(0);
      for (let i = 0; i < 20; i++) storage.run(-1, () => sockets.from.send('x'));
      for (const [i, each] of all.entries()) assert.equal(each.get(), i);
    }),
  );

  test(
    'the driver tells of connections',
    inGreenlet(() => {
      const socket = new zmq.Pull();
      const { events } = socket;
      const heard: string[] = [];
      const watcher = spawn(() => {
        for (const event of events) heard.push(event.type);
      });
      socket.bind('tcp://127.0.0.1:*');
      using push = new zmq.Push({ linger: 0 });
      push.connect(socket.lastEndpoint as string);
      until(() => heard.includes('handshake'));
      socket.close();
      watcher.join({ timeout: 30_000 });
      assert.ok(watcher.ready(), 'the iteration ends with the socket');
      assert.ok(heard.includes('bind') && heard.includes('accept'), heard.join());
    }),
  );

  test(
    'events can be listened to',
    inGreenlet(() => {
      const socket = new zmq.Pull();
      const bound: string[] = [];
      socket.events.on('bind', (event) => bound.push(event.address));
      socket.bind('tcp://127.0.0.1:*');
      until(() => bound.length === 1);
      assert.equal(bound[0], socket.lastEndpoint);
      socket.close();
      until(() => socket.closed);
    }),
  );

  test(
    'CURVE: who has the key gets through',
    inGreenlet(() => {
      const server = zmq.curveKeyPair();
      const client = zmq.curveKeyPair();
      using to = new zmq.Pull({ curveServer: true, curveSecretKey: server.secretKey });
      to.bind('tcp://127.0.0.1:*');
      using from = new zmq.Push({
        linger: 0,
        curveServerKey: server.publicKey,
        curvePublicKey: client.publicKey,
        curveSecretKey: client.secretKey,
      });
      from.connect(to.lastEndpoint as string);
      from.send('secret');
      assert.deepEqual(text(to.receive()), ['secret']);
      assert.equal(to.securityMechanism, 'curve');
    }),
  );
});
