import assert from 'node:assert/strict';
import type { Socket as NetSocket } from 'node:net';
import { describe, test } from 'node:test';
import {
  ConcurrentUseError,
  InvalidArgumentError,
  SocketClosedError,
  spawn,
  Timeout,
  withTimeout,
} from '@tendril/core';
import { Poller, select } from '@tendril/core/select';
import { StreamServer } from '@tendril/core/server';
import { onSignal, signals, waitSignal } from '@tendril/core/signal';
import {
  connect,
  type DatagramAddress,
  DatagramSocket,
  type Listener,
  listen,
  plainAddress,
  type Socket,
  standInListener,
} from '@tendril/core/socket';
import { assertNoSwitch } from '@tendril/core/testing';
import { leaveNothing } from './helpers.js';
import { code, connected, inRealTime, outcomeOf, started, until } from './io-helpers.js';

leaveNothing();
const host = '127.0.0.1';

describe('one reader at a time', () => {
  /** Each needs more than `ab`, and all of what follows. */
  const readers: Record<string, (socket: Socket) => unknown> = {
    recvExactly: (socket) => socket.recvExactly(6).toString(),
    readUntil: (socket) => socket.readUntil('f').toString(),
    readLine: (socket) => socket.readLine(),
    readAll: (socket) => socket.readAll().toString(),
  };
  const others: Record<string, (socket: Socket) => unknown> = {
    recv: (socket) => socket.recv(),
    iteration: (socket) => [...socket],
    ...readers,
  };
  for (const [first, read] of Object.entries(readers))
    for (const [second, other] of Object.entries(others))
      test(
        `${second} beside a parked ${first} is refused, with bytes there and without`,
        inRealTime(() => {
          using pair = connected();
          const reading = started(() => read(pair.client));
          assert.throws(() => other(pair.client), ConcurrentUseError);
          pair.server.sendAll('ab');
          until(() => pair.client.bytesRead === 2);
          assert.throws(() => other(pair.client), ConcurrentUseError);
          pair.server.sendAll('cdef');
          if (first === 'readLine') pair.server.sendAll('\n');
          if (first === 'readAll') pair.server.end();
          until(() => pair.client.bytesRead >= 6);
          // It has been woken, and may not have run yet.
          assert.equal(reading.get(), 'abcdef');
        }),
      );

  test(
    'one that was killed or timed out takes nothing more: the next may read at once',
    inRealTime(() => {
      using pair = connected();
      const reading = started(() => pair.client.recvExactly(4));
      pair.server.sendAll('ab');
      until(() => pair.client.bytesRead === 2);
      reading.kill({ block: false });
      assert.equal(pair.client.recv().toString(), 'ab');
      assert.throws(() => pair.client.recv(1, { timeout: 1 }), Timeout);
      pair.server.sendAll('c');
      assert.equal(pair.client.recv().toString(), 'c');
    }),
  );
});

describe('select', () => {
  test(
    'a socket that another greenlet closes is ready, and so is one that was closed before',
    inRealTime(() => {
      for (const how of ['close', 'destroy'] as const) {
        using pair = connected();
        const selecting = started(() => select([pair.client]));
        pair.client[how]();
        assert.deepEqual(selecting.get().readable, [pair.client]);
        assert.throws(() => pair.client.recv(), SocketClosedError);
        assert.deepEqual(select([pair.client], [pair.client]), {
          readable: [pair.client],
          writable: [pair.client],
        });
        const poller = new Poller<Socket>();
        poller.register(pair.client, 'both');
        assert.deepEqual(poller.poll(), [{ socket: pair.client, readable: true, writable: true }]);
      }
    }),
  );

  test(
    'goes on when another greenlet was quicker with what was ready',
    inRealTime(() => {
      using pair = connected();
      // Both are woken by the same bytes, and the first of them takes all.
      const reading = started(() => pair.client.recv().toString());
      const selecting = started(() => select([pair.client]).readable.length);
      pair.server.sendAll('one');
      assert.equal(reading.get(), 'one');
      assert.equal(selecting.dead, false);
      pair.server.sendAll('two');
      assert.equal(selecting.get(), 1);
    }),
  );
});

describe('select of what has connections or datagrams to read', () => {
  /** Does not park: `body` throws if it does. */
  const atOnce = <R>(body: () => R): R => withTimeout(0, () => assertNoSwitch(body));

  test(
    'a listener is ready when a connection waits, and accept() gives it at once',
    inRealTime(() => {
      using listener = listen({ host, port: 0 });
      assert.equal(listener.readable, false);
      const selecting = started(() => select([listener]).readable);
      assert.equal(selecting.dead, false);
      using one = connect({ host, port: listener.port });
      assert.deepEqual(selecting.get(), [listener]);
      assert.deepEqual(atOnce(() => select([listener])).readable, [listener]);
      using first = atOnce(() => listener.accept());
      assert.equal(first.remotePort, one.localPort);
      assert.deepEqual(select([listener], [], { timeout: 5 }).readable, []);
      // The first of several to have something, among sockets.
      const both = started(() => select<Listener | Socket>([first, listener]).readable);
      using _two = connect({ host, port: listener.port });
      assert.deepEqual(both.get(), [listener]);
    }),
  );

  test(
    'one that a kill gave back, or that is closed, is ready',
    inRealTime(() => {
      using pair = connected();
      using listener = standInListener('here');
      const accepting = started(() => listener.accept());
      const selecting = started(() => select([listener]).readable);
      // It has the connection, and does not know yet.
      listener.take(pair.server.detach() as NetSocket);
      accepting.kill();
      assert.deepEqual(selecting.get(), [listener]);
      using _again = atOnce(() => listener.accept());
      assert.equal(listener.statistics().accepted, 1, 'counted once');
      const gone = pair.client.detach() as NetSocket;
      listener.take(gone);
      assert.equal(listener.readable, true);
      gone.destroy();
      assert.equal(listener.readable, false, 'who has gone again does not wait');
      const closing = started(() => select([listener]).readable);
      listener.close();
      assert.deepEqual(closing.get(), [listener]);
      assert.throws(() => atOnce(() => listener.accept()), SocketClosedError);
    }),
  );

  test(
    'a datagram socket is ready when a datagram waits',
    inRealTime(() => {
      using receiver = new DatagramSocket({ host });
      const selecting = started(() => select([receiver]).readable); // opens it
      using sender = new DatagramSocket({ host });
      until(() => receiver.address !== undefined);
      sender.sendTo('one', receiver.address as DatagramAddress);
      assert.deepEqual(selecting.get(), [receiver]);
      assert.equal(atOnce(() => receiver.recvFrom()).data.toString(), 'one');
      assert.equal(receiver.readable, false);
      using taken = new DatagramSocket({ host, port: receiver.address?.port as number });
      assert.deepEqual(select([taken]).readable, [taken]);
      assert.throws(() => taken.recvFrom(), { code: 'EADDRINUSE' });
      const closing = started(() => select([receiver]).readable);
      receiver.close();
      assert.deepEqual(closing.get(), [receiver]);
    }),
  );

  test(
    'a Poller takes them for reading',
    inRealTime(() => {
      using listener = listen({ host, port: 0 });
      const poller = new Poller<Listener | Socket>();
      poller.register(listener);
      using one = connect({ host, port: listener.port });
      assert.deepEqual(poller.poll(), [{ socket: listener, readable: true, writable: false }]);
      using server = atOnce(() => listener.accept());
      poller.register(server);
      one.sendAll('x');
      assert.deepEqual(poller.poll(), [{ socket: server, readable: true, writable: false }]);
      poller.register(server, 'both');
      assert.deepEqual(poller.poll(), [{ socket: server, readable: true, writable: true }]);
      assert.throws(() => poller.register(listener, 'write' as never), InvalidArgumentError);
      assert.throws(() => poller.register(listener, 'all' as never), InvalidArgumentError);
      assert.throws(() => poller.register(7 as never), InvalidArgumentError);
      // @ts-expect-error nothing can be written to a listener
      assert.throws(() => new Poller<Listener>().register(listener, 'both'), InvalidArgumentError);
    }),
  );
});

describe('listeners and datagrams', () => {
  test(
    'accept() and recvFrom() are for one greenlet at a time; what comes is given once',
    inRealTime(() => {
      using listener = listen({ host, port: 0 });
      const accepting = started(() => listener.accept());
      assert.throws(() => listener.accept(), ConcurrentUseError);
      using one = connect({ host, port: listener.port });
      using first = accepting.get();
      assert.equal(first.remotePort, one.localPort);
      const killed = started(() => listener.accept());
      killed.kill({ block: false });
      using two = connect({ host, port: listener.port });
      using second = listener.accept();
      assert.equal(second.remotePort, two.localPort);

      using receiver = new DatagramSocket({ host }).open();
      using sender = new DatagramSocket({ host });
      const to = { address: host, port: receiver.address?.port as number };
      const receiving = started(() => receiver.recvFrom().data.toString());
      assert.throws(() => receiver.recvFrom(), ConcurrentUseError);
      sender.sendTo('one', to);
      assert.equal(receiving.get(), 'one');
      started(() => receiver.recvFrom()).kill({ block: false });
      sender.sendTo('two', to);
      assert.equal(receiver.recvFrom().data.toString(), 'two');
    }),
  );

  test(
    'several first uses of a DatagramSocket wait for one bind',
    inRealTime(() => {
      using receiver = new DatagramSocket({ host }).open();
      const to = { address: host, port: receiver.address?.port as number };
      using socket = new DatagramSocket({ host });
      const senders = ['a', 'b', 'c'].map((text) => spawn(() => socket.sendTo(text, to)));
      const receiving = spawn(() => socket.recvFrom().data.toString());
      const opening = spawn(() => socket.open());
      for (const sender of senders) sender.get();
      assert.equal(opening.get(), socket);
      const got = senders.map(() => receiver.recvFrom());
      assert.deepEqual(got.map(({ data }) => String(data)).sort(), ['a', 'b', 'c']);
      receiver.sendTo('answer', { address: host, port: socket.address?.port as number });
      assert.equal(receiving.get(), 'answer');
    }),
  );

  test(
    'one of several that is killed in its first use strikes none of the others',
    inRealTime(() => {
      using receiver = new DatagramSocket({ host }).open();
      const to = { address: host, port: receiver.address?.port as number };
      using socket = new DatagramSocket({ host });
      const killed = started(() => socket.open());
      const sender = started(() => socket.sendTo('x', to));
      killed.kill({ block: false });
      sender.get();
      assert.equal(String(receiver.recvFrom().data), 'x');
    }),
  );

  test(
    'a bind that fails is told once, to those who wait for it, and may be tried again',
    inRealTime(() => {
      const taken = new DatagramSocket({ host }).open();
      const port = taken.address?.port as number;
      using socket = new DatagramSocket({ host, port });
      const outcomes = [1, 2].map(() => started(() => socket.open()));
      assert.deepEqual(outcomes.map(outcomeOf), ['EADDRINUSE', 'EADDRINUSE']);
      assert.throws(() => socket.recvFrom(), code('EADDRINUSE'));
      taken.close();
      socket.open();
      assert.throws(() => socket.recvFrom({ timeout: 1 }), Timeout);
    }),
  );

  test(
    'close() ends sends that are under way, to a name that is looked up, too',
    inRealTime(() => {
      for (const open of [true, false]) {
        const socket = new DatagramSocket({ host });
        if (open) socket.open();
        const sender = started(() => socket.sendTo('x', { address: 'localhost', port: 9 }));
        socket.close();
        assert.equal(outcomeOf(sender), 'ERR_SOCKET_CLOSED');
      }
    }),
  );
});

describe('IPv4 by a socket of both families', () => {
  test(
    'is told as IPv4 everywhere, and sent to',
    inRealTime(() => {
      const seen: unknown[] = [];
      using server = new StreamServer({ host: '::', port: 0 }, (socket, address) => {
        const { remoteAddress, remoteFamily, localAddress } = socket;
        seen.push(address, remoteAddress, remoteFamily, localAddress);
      });
      server.start();
      using client = connect({ host, port: server.port });
      assert.equal(client.recv().length, 0);
      assert.deepEqual(seen, [host, host, 'IPv4', host]);
      using six = connect({ host: '::1', port: server.port });
      assert.equal(six.recv().length, 0);
      assert.deepEqual(seen.slice(4), ['::1', '::1', 'IPv6', '::1']);

      using both = new DatagramSocket({ host: '::' }).open();
      using four = new DatagramSocket({ host }).open();
      four.sendTo('there', { address: host, port: both.address?.port as number });
      const { data, address } = both.recvFrom();
      assert.deepEqual([String(data), address.address, address.family], ['there', host, 'IPv4']);
      both.sendTo('back', address);
      assert.equal(String(four.recvFrom().data), 'back');
      assert.equal(plainAddress('::ffff:7f00:1'), '::ffff:7f00:1');
      assert.equal(plainAddress(undefined), undefined);
    }),
  );
});

test(
  'many may wait for one signal: the process has one listener for it',
  inRealTime(() => {
    const warnings: Error[] = [];
    const note = (warning: Error) => void warnings.push(warning);
    process.on('warning', note);
    const waiting = Array.from({ length: 30 }, () => started(() => waitSignal('SIGCONT')));
    const got: string[] = [];
    using _handler = onSignal('SIGCONT', (name) => got.push(name));
    const iterating = started(() => {
      for (const name of signals(['SIGCONT', 'SIGHUP'])) return name;
      return undefined;
    });
    assert.equal(process.listenerCount('SIGCONT'), 1);
    process.kill(process.pid, 'SIGCONT');
    for (const one of waiting) assert.equal(one.get(), 'SIGCONT');
    assert.equal(iterating.get(), 'SIGCONT');
    until(() => got.length === 1);
    assert.equal(process.listenerCount('SIGCONT'), 1);
    assert.equal(process.listenerCount('SIGHUP'), 0);
    process.off('warning', note);
    assert.deepEqual(warnings, []);
  }),
);
