import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { test } from 'node:test';
import { Event } from '@tendril/core';
import { DatagramServer, StreamServer } from '@tendril/core/server';
import { onSignal } from '@tendril/core/signal';
import { connect, DatagramSocket, listen } from '@tendril/core/socket';
import { leaveNothing } from './helpers.js';
import { inRealTime, until } from './io-helpers.js';

leaveNothing();
const host = '127.0.0.1';
const storage = new AsyncLocalStorage<string>();

test(
  'handlers of servers run in the context of who started them, whoever comes and whoever opened the port',
  inRealTime(() => {
    const seen: unknown[] = [];
    const listener = storage.run('opener', () => listen({ host, port: 0 }));
    using server = new StreamServer(
      listener,
      (socket) => {
        seen.push(storage.getStore());
        storage.enterWith('handler');
        socket.sendAll(socket.recv());
      },
      { per: 'input', spawn: 1 },
    );
    storage.run('starter', () => server.start());
    for (const who of ['one', 'two'])
      storage.run(who, () => {
        using client = connect({ host, port: server.port });
        for (let i = 0; i < 2; i++) {
          client.sendAll(who);
          client.recvExactly(3);
        }
      });
    assert.deepEqual(seen, Array(4).fill('starter'));

    const socket = storage.run('opener', () => new DatagramSocket({ host }).open());
    const got: unknown[] = [];
    using datagrams = new DatagramServer(
      socket,
      () => {
        got.push(storage.getStore());
        storage.enterWith('handler');
      },
      { spawn: 1 },
    );
    storage.run('starter', () => datagrams.start());
    using sender = new DatagramSocket({ host });
    for (let i = 1; i < 3; i++) {
      storage.run(`sender ${i}`, () => sender.sendTo('x', { address: host, port: datagrams.port }));
      until(() => got.length === i);
    }
    assert.deepEqual(got, ['starter', 'starter']);
    server.stop();
    datagrams.stop();
  }),
);

test(
  'what is called outside greenlets runs in the context of who asked for it',
  inRealTime(() => {
    const seen: unknown[] = [];
    const done = new Event();
    using listener = storage.run('opener', () => listen({ host, port: 0 }));
    storage.run('asker', () =>
      listener.onConnection((socket) => {
        seen.push(storage.getStore());
        socket.destroy();
      }),
    );
    using client = storage.run('client', () => connect({ host, port: listener.port }));
    client.recv();
    using receiver = storage.run('opener', () => new DatagramSocket({ host }).open());
    storage.run('asker', () =>
      receiver.onDatagram(() => {
        seen.push(storage.getStore());
        done.set();
      }),
    );
    using sender = new DatagramSocket({ host });
    storage.run('sender', () =>
      sender.sendTo('x', { address: host, port: receiver.address?.port as number }),
    );
    done.wait();
    assert.deepEqual(seen, ['asker', 'asker']);
  }),
);

test(
  'handlers of signals run in the context of who asked for each',
  inRealTime(() => {
    const seen: unknown[] = [];
    const note = () => void seen.push(storage.getStore());
    using _first = storage.run('first', () => onSignal('SIGCONT', note));
    using _second = storage.run('second', () => onSignal('SIGCONT', note));
    using _third = onSignal('SIGCONT', note);
    process.kill(process.pid, 'SIGCONT');
    until(() => seen.length === 3);
    assert.deepEqual(seen, ['first', 'second', undefined]);
  }),
);
