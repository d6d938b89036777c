import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { isExit, sleep, spawn, Timeout } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import * as zmq from '@tendril/zmq';
import { dealerAndRouter, inGreenlet, pipeline, text, until } from './helpers.js';

describe('waiting, and its ends', () => {
  after(() => checkLeaks());

  test(
    'a killed receive() leaves its message to the next, in order',
    inGreenlet(() => {
      using sockets = pipeline();
      const { from, to } = sockets;
      const first = spawn(() => to.receive());
      sleep(0);
      first.kill();
      assert.ok(isExit(first.value));
      for (const each of ['1', '2', '3']) from.send(each);
      until(() => to.readable);
      for (const each of ['1', '2', '3']) assert.deepEqual(text(to.receive()), [each]);
    }),
  );

  test(
    'a killed send() takes its message back',
    inGreenlet(() => {
      using to = new zmq.Pull();
      using from = new zmq.Push({ linger: 0 });
      const sent = ['1', '2', '3'].map((each) => spawn(() => from.send(each)));
      sleep(0);
      sent[1]?.kill();
      to.bind('tcp://127.0.0.1:*');
      from.connect(to.lastEndpoint as string);
      assert.deepEqual(text(to.receive()), ['1']);
      assert.deepEqual(text(to.receive()), ['3']);
      from.send('4');
      assert.deepEqual(text(to.receive()), ['4']);
    }),
  );

  test(
    'a message that libzmq refuses after its sender has gone on goes out later, as it was',
    inGreenlet(() => {
      using sockets = pipeline();
      const { from, to } = sockets;
      const endpoint = to.lastEndpoint as string;
      until(() => from.writable);
      // The peer goes between the look whether there is room, and the message.
      let reads = 0;
      const parts: unknown[] = ['', 'second'];
      Object.defineProperty(parts, 0, {
        configurable: true,
        get() {
          if (++reads === 2) from.disconnect(endpoint);
          return 'first';
        },
      });
      from.send(parts as string[]);
      assert.ok(reads >= 2 && !from.writable);
      Object.defineProperty(parts, 0, { value: Symbol('the sender is done with it') });
      sleep(10);
      from.connect(endpoint);
      assert.deepEqual(text(to.receive()), ['first', 'second']);
      from.send('next');
      assert.deepEqual(text(to.receive()), ['next']);
    }),
  );

  test(
    'what is sent is what was given, whatever becomes of the list while its sender waits',
    inGreenlet(() => {
      using to = new zmq.Pull({ linger: 0 });
      using from = new zmq.Push({ linger: 0 });
      const parts: unknown[] = ['a', 'b'];
      const sender = spawn(() => from.send(parts as string[]));
      sleep(0);
      parts[0] = Symbol('not to be sent');
      to.bind('tcp://127.0.0.1:*');
      from.connect(to.lastEndpoint as string);
      sender.get();
      from.send('next');
      assert.deepEqual(text(to.receive()), ['a', 'b']);
      assert.deepEqual(text(to.receive()), ['next']);
    }),
  );

  test(
    'the timeouts of the driver are its error, those of a call a Timeout',
    inGreenlet(() => {
      using sockets = pipeline({}, { receiveTimeout: 20 });
      const { to } = sockets;
      assert.throws(() => to.receive(), { code: 'EAGAIN', errno: 11 });
      assert.throws(() => to.receive({ timeout: 5 }), Timeout);
      to.receiveTimeout = 0;
      assert.throws(() => to.receive(), zmq.AgainError);
      using alone = new zmq.Push({ sendTimeout: 20, linger: 0 });
      assert.throws(() => alone.send('x'), { code: 'EAGAIN' });
      alone.sendTimeout = 0;
      assert.throws(() => alone.send('x'), { code: 'EAGAIN' });
      assert.throws(() => alone.send('x', { timeout: 5 }), Timeout);
    }),
  );

  test(
    'receiveTimeout 0 gets what is there',
    inGreenlet(() => {
      using sockets = pipeline({}, { receiveTimeout: 0 });
      sockets.from.send('x');
      until(() => sockets.to.readable);
      assert.deepEqual(text(sockets.to.receive()), ['x']);
    }),
  );

  test(
    'an answer that nobody waited for is not the answer to the next request',
    inGreenlet(() => {
      using server = new zmq.Reply({ linger: 0 });
      server.bind('tcp://127.0.0.1:*');
      using client = new zmq.Request({ linger: 0 });
      client.connect(server.lastEndpoint as string);
      client.send('first');
      assert.throws(() => client.receive({ timeout: 20 }), Timeout);
      const second = spawn(() => {
        client.send('second');
        return text(client.receive());
      });
      server.send(server.receive());
      server.send(server.receive());
      assert.deepEqual(second.get(), ['second']);
    }),
  );

  test(
    'close() wakes those who send and receive',
    inGreenlet(() => {
      const { dealer, router } = dealerAndRouter({ sendHighWaterMark: 1, receiveHighWaterMark: 1 });
      const alone = new zmq.Push();
      const waiting = [
        spawn(() => dealer.receive()),
        spawn(() => dealer.receive()),
        spawn(() => alone.send('x')),
        spawn(() => alone.send('y')),
      ];
      const iteration = spawn(() => {
        for (const _ of router) assert.fail('nothing comes');
        return 'ended';
      });
      sleep(0);
      for (const socket of [dealer, router, alone]) socket.close();
      for (const each of waiting)
        assert.throws(() => each.get({ timeout: 10_000 }), { code: 'ERR_SOCKET_CLOSED' });
      assert.equal(iteration.get({ timeout: 10_000 }), 'ended');
      assert.throws(() => dealer.send('x'), { code: 'ERR_SOCKET_CLOSED' });
      assert.throws(() => dealer.receive(), { code: 'ERR_SOCKET_CLOSED' });
      assert.throws(() => dealer.bind('tcp://127.0.0.1:*'), { code: 'ERR_SOCKET_CLOSED' });
      dealer.close();
    }),
  );

  test(
    'a receive that waits survives connect, bind, unbind and looks at the socket',
    inGreenlet(() => {
      using to = new zmq.Pull();
      const receiver = spawn(() => Array.from({ length: 40 }, () => text(to.receive())[0]));
      using from = new zmq.Push({ linger: 0 });
      const sender = spawn(() => {
        for (let i = 0; i < 40; i++) {
          from.send(`${i}`);
          sleep(2);
        }
      });
      to.bind('tcp://127.0.0.1:*');
      const first = to.lastEndpoint as string;
      from.connect(first);
      for (let i = 0; i < 20; i++) {
        to.bind('tcp://127.0.0.1:*');
        assert.equal(to.readable, false);
        to.unbind(to.lastEndpoint as string);
        sleep(1);
      }
      sender.join();
      assert.deepEqual(
        receiver.get({ timeout: 10_000 }),
        Array.from({ length: 40 }, (_, i) => `${i}`),
      );
      assert.throws(() => to.unbind('tcp://127.0.0.1:1'), { code: 'ENOENT' });
    }),
  );

  test('bad arguments are errors with a code; outside a greenlet nothing waits', () => {
    using socket = new zmq.Dealer({ linger: 0 });
    const bad: [() => unknown, string][] = [
      [() => new zmq.Dealer({ nonsense: 1 } as object), 'ERR_INVALID_ARG'],
      [() => new zmq.Dealer({ sendTimeout: 1.5 }), 'ERR_INVALID_ARG'],
      [() => new zmq.Dealer(7 as unknown as object), 'ERR_INVALID_ARG'],
      [() => new zmq.Dealer({ linger: 1, routingId: 'x'.repeat(300) }), 'EINVAL'],
      [() => socket.connect('nowhere'), 'EINVAL'],
      [() => socket.connect(1 as unknown as string), 'ERR_INVALID_ARG'],
      [() => socket.send('x'), 'ERR_NOT_IN_GREENLET'],
      [() => socket.receive(), 'ERR_NOT_IN_GREENLET'],
      [() => new zmq.Poller().register({} as zmq.Socket), 'ERR_INVALID_ARG'],
    ];
    for (const [call, code] of bad) assert.throws(call, { code }, String(call));
    assert.equal('receive' in zmq.Push.prototype, false);
    assert.equal('send' in zmq.Pull.prototype, false);
  });

  test(
    'a message must be one',
    inGreenlet(() => {
      using socket = new zmq.Dealer({ linger: 0 });
      for (const each of [undefined, {}, [], ['a', {}], true])
        assert.throws(() => socket.send(each as string), { code: 'ERR_INVALID_ARG' });
    }),
  );

  test('options are properties, with bounds on lingering', () => {
    using socket = new zmq.Dealer({ routingId: 'me', receiveHighWaterMark: 7 });
    assert.equal(socket.routingId, 'me');
    assert.equal(socket.receiveHighWaterMark, 7);
    assert.equal(socket.linger, 1000);
    assert.equal(socket.sendTimeout, -1);
    socket.linger = 5;
    assert.equal(socket.linger, 5);
    using quick = new zmq.Dealer({ context: new zmq.Context({ blocky: false }) });
    assert.equal(quick.linger, 0);
  });
});
