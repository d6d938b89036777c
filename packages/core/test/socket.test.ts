import assert from 'node:assert/strict';
import type net from 'node:net';
import path from 'node:path';
import { Duplex, PassThrough } from 'node:stream';
import { describe, test } from 'node:test';
import {
  ConcurrentUseError,
  IncompleteReadError,
  InvalidArgumentError,
  isExit,
  LimitExceededError,
  NotInGreenletError,
  SocketClosedError,
  sleep,
  spawn,
  Timeout,
  wait,
} from '@tendril/core';
import { select } from '@tendril/core/select';
import { connect, DatagramSocket, listen, wrap } from '@tendril/core/socket';
import fc from 'fast-check';
import { leaveNothing } from './helpers.js';
import { code, connected, inRealTime, started, temporaryFolder, until } from './io-helpers.js';

leaveNothing();
const folder = temporaryFolder();

describe('reading', () => {
  test(
    'recv gives what is there, at most max, and an empty Buffer at the end',
    inRealTime(() => {
      using pair = connected();
      pair.server.sendAll('hello');
      assert.equal(pair.client.recv(2).toString(), 'he');
      assert.equal(pair.client.recv().toString(), 'llo');
      pair.server.end();
      assert.equal(pair.client.recv().length, 0);
      assert.equal(pair.client.recv().length, 0);
      // Half-closed: the other way is open.
      pair.client.sendAll('still');
      assert.equal(pair.server.recv().toString(), 'still');
    }),
  );

  test(
    'recvExactly and readUntil over many chunks; what comes after stays',
    inRealTime(() => {
      using pair = connected();
      const sender = spawn(() => {
        for (const byte of 'abcdef||rest') {
          pair.server.sendAll(byte);
          sleep(1);
        }
      });
      assert.equal(pair.client.recvExactly(3).toString(), 'abc');
      assert.equal(pair.client.readUntil('||').toString(), 'def||');
      assert.equal(pair.client.recvExactly(4).toString(), 'rest');
      sender.join();
      assert.equal(pair.client.recvExactly(0).length, 0);
    }),
  );

  test(
    'lines end with LF or CRLF; the input ends with undefined',
    inRealTime(() => {
      using pair = connected();
      pair.server.sendAll('one\ntwo\r\n\nthr');
      pair.server.sendAll('ee\n');
      pair.server.end();
      const lines: (string | undefined)[] = [];
      for (let i = 0; i < 5; i++) lines.push(pair.client.readLine());
      assert.deepEqual(lines, ['one', 'two', '', 'three', undefined]);
    }),
  );

  test(
    'an end that comes too early throws what came',
    inRealTime(() => {
      using pair = connected();
      pair.server.sendAll('abc');
      pair.server.end();
      const short = (error: unknown) =>
        error instanceof IncompleteReadError && error.partial.toString() === 'abc';
      assert.throws(() => pair.client.recvExactly(4), short);
      using other = connected();
      other.server.sendAll('abc');
      other.server.end();
      assert.throws(() => other.client.readLine(), short);
    }),
  );

  test(
    'a line beyond its limit throws and stays unread',
    inRealTime(() => {
      using pair = connected();
      pair.server.sendAll(`${'x'.repeat(100)}\n`);
      assert.throws(() => pair.client.readLine({ max: 50 }), LimitExceededError);
      assert.equal(pair.client.readLine({ max: 101 })?.length, 100);
      pair.server.sendAll('x'.repeat(60));
      assert.throws(() => pair.client.readUntil('\n', { max: 50 }), LimitExceededError);
      pair.server.end();
      assert.throws(() => pair.client.readAll({ max: 50 }), LimitExceededError);
      assert.equal(pair.client.readAll().length, 60);
    }),
  );

  test(
    'any way of cutting the bytes gives the same lines',
    inRealTime(() => {
      fc.assert(
        fc.property(
          fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '\r', ' '), maxLength: 20 })),
          fc.array(fc.nat(7), { minLength: 1 }),
          (lines, cuts) => {
            const clean = lines.map((line) => line.replace(/\r+$/, ''));
            const bytes = Buffer.from(clean.map((line) => `${line}\r\n`).join(''));
            const stream = new PassThrough();
            const socket = wrap(stream);
            for (let at = 0, i = 0; at < bytes.length; i++) {
              const next = at + 1 + (cuts[i % cuts.length] ?? 0);
              stream.write(bytes.subarray(at, next));
              at = next;
            }
            stream.end();
            const got: string[] = [];
            for (let line = socket.readLine(); line !== undefined; line = socket.readLine())
              got.push(line);
            assert.deepEqual(got, clean);
            socket.destroy();
          },
        ),
        { numRuns: 50 },
      );
    }),
  );

  test(
    'two readers: the second is refused, the first unharmed',
    inRealTime(() => {
      using pair = connected();
      const first = started(() => pair.client.recv().toString());
      assert.throws(() => pair.client.recv(), ConcurrentUseError);
      assert.throws(() => pair.client.detach(), ConcurrentUseError);
      pair.server.sendAll('for the first');
      assert.equal(first.get(), 'for the first');
    }),
  );

  test(
    'the timeout of a call, of the socket, and a Timeout around; nothing is lost',
    inRealTime(() => {
      using pair = connected();
      assert.throws(() => pair.client.recv(10, { timeout: 5 }), Timeout);
      pair.client.timeout = 5;
      assert.throws(() => pair.client.readLine(), Timeout);
      pair.client.timeout = undefined;
      const limit = Timeout.startNew(5);
      assert.throws(
        () => pair.client.recv(),
        (error) => error === limit,
      );
      pair.server.sendAll('half');
      assert.throws(() => pair.client.recvExactly(8, { timeout: 20 }), Timeout);
      pair.server.sendAll('half');
      assert.equal(pair.client.recvExactly(8).toString(), 'halfhalf');
    }),
  );

  test(
    'a killed reader loses nothing',
    inRealTime(() => {
      using pair = connected();
      const reader = started(() => pair.client.recv());
      pair.server.sendAll('kept');
      reader.kill();
      assert.ok(isExit(reader.value));
      assert.equal(pair.client.recv().toString(), 'kept');
    }),
  );
});

describe('writing', () => {
  test(
    'a slow reader parks the sender; memory stays bounded; all of it arrives',
    inRealTime(() => {
      using pair = connected();
      const chunk = Buffer.alloc(64 * 1024, 7);
      const chunks = 320; // 20 MiB
      let sent = 0;
      const sender = spawn(() => {
        for (; sent < chunks; sent++) pair.server.sendAll(chunk);
        pair.server.end();
      });
      // The reader takes nothing: kernel buffers fill, and then the sender stands still.
      until(() => pair.server.stream.writableNeedDrain);
      assert.ok(sent < chunks, 'the sender parked');
      assert.ok(pair.server.stream.writableLength <= 256 * 1024, 'little is queued');
      let received = 0;
      for (const part of pair.client) received += part.length;
      assert.equal(received, chunks * chunk.length);
      sender.get();
    }),
  );

  test(
    'a killed or timed-out sender closes the connection',
    inRealTime(() => {
      for (const how of ['kill', 'timeout'] as const) {
        using pair = connected();
        const big = Buffer.alloc(32 * 1024 * 1024);
        const sender = started(() =>
          pair.server.sendAll(big, how === 'timeout' ? { timeout: 20 } : {}),
        );
        if (how === 'kill') sender.kill();
        else assert.throws(() => sender.get(), Timeout);
        assert.equal(pair.server.closed, true);
        assert.throws(() => pair.server.sendAll('more'), SocketClosedError);
      }
    }),
  );

  test(
    'two senders: each message is whole',
    inRealTime(() => {
      using pair = connected();
      const size = 300_000;
      const senders = ['a', 'b', 'c'].map((letter) =>
        spawn(() => pair.server.sendAll(letter.repeat(size))),
      );
      const all = pair.client.recvExactly(3 * size).toString();
      assert.match(all, /^(a+b+c+)$/);
      for (const sender of senders) sender.get();
    }),
  );

  test(
    'bad data and closed sockets throw typed errors',
    inRealTime(() => {
      using pair = connected();
      assert.throws(() => pair.client.sendAll(7 as never), InvalidArgumentError);
      assert.throws(() => pair.client.recv(0), InvalidArgumentError);
      assert.throws(() => pair.client.recvExactly(-1), InvalidArgumentError);
      assert.throws(() => pair.client.readUntil(''), InvalidArgumentError);
      pair.client.end();
      assert.throws(() => pair.client.sendAll('x'), SocketClosedError);
      pair.client.close();
      pair.client.close();
      assert.throws(() => pair.client.recv(), SocketClosedError);
    }),
  );

  test('outside a greenlet a call throws and does no harm', async () => {
    const stream = new PassThrough();
    const socket = wrap(stream);
    assert.throws(() => socket.recv(), NotInGreenletError);
    assert.throws(() => socket.sendAll('x'), NotInGreenletError);
    assert.throws(() => connect({ port: 1, host: '127.0.0.1' }), NotInGreenletError);
    socket.destroy();
  });
});

describe('a peer that goes', () => {
  test(
    'with a reset while we read',
    inRealTime(() => {
      using pair = connected();
      const reader = started(() => pair.client.recv());
      (pair.server.stream as net.Socket).resetAndDestroy();
      assert.throws(() => reader.get(), code('ECONNRESET'));
      assert.throws(() => pair.client.recv(), code('ECONNRESET'));
    }),
  );

  test(
    'with a reset while we write',
    inRealTime(() => {
      using pair = connected();
      const writer = started(() => {
        for (;;) pair.client.sendAll(Buffer.alloc(1024 * 1024));
      });
      (pair.server.stream as net.Socket).resetAndDestroy();
      assert.throws(
        () => writer.get(),
        (error) => ['ECONNRESET', 'EPIPE'].includes((error as { code: string }).code),
      );
    }),
  );

  test(
    'by closing while a reader of ours waits: it sees the end',
    inRealTime(() => {
      using pair = connected();
      const reader = started(() => pair.client.recv());
      pair.server.close();
      assert.equal(reader.get().length, 0);
    }),
  );

  test(
    'by our own close while a reader waits',
    inRealTime(() => {
      using pair = connected();
      const reader = started(() => pair.client.recv());
      pair.client.close();
      assert.throws(() => reader.get(), SocketClosedError);
    }),
  );

  test(
    'close() sends what was written first',
    inRealTime(() => {
      using pair = connected();
      const big = Buffer.alloc(200_000, 1);
      const got = spawn(() => pair.client.readAll().length);
      pair.server.sendAll(big);
      pair.server.close();
      assert.equal(got.get(), big.length);
    }),
  );
});

describe('connect and listen', () => {
  test(
    'refused, unknown path, bad arguments',
    inRealTime(() => {
      using listener = listen({ port: 0, host: '127.0.0.1' });
      const { port } = listener;
      assert.throws(() => connect({ port: 70_000 }), InvalidArgumentError);
      assert.throws(() => connect({ path: '' }), InvalidArgumentError);
      assert.throws(() => listen({ port: -1 }), InvalidArgumentError);
      assert.throws(() => listen({ port, host: '127.0.0.1' }), code('EADDRINUSE'));
      assert.throws(() => connect({ path: path.join(folder, 'none') }), code('ENOENT'));
    }),
  );

  test(
    'a Unix socket',
    inRealTime(() => {
      const where = path.join(folder, 'unix.sock');
      using listener = listen({ path: where });
      assert.equal(listener.address, where);
      using client = connect({ path: where });
      using server = listener.accept();
      client.sendAll('over a path');
      assert.equal(server.recv().toString(), 'over a path');
    }),
  );

  test(
    'kill and timeout while connecting leave no handle',
    inRealTime(() => {
      using listener = listen({ port: 0, host: '127.0.0.1' });
      const { port } = listener;
      const killed = started(() => connect({ host: '127.0.0.1', port }));
      killed.kill();
      assert.ok(isExit(killed.value));
      assert.throws(() => connect({ host: '127.0.0.1', port, timeout: 0 }), Timeout);
    }),
  );

  test(
    'accept: timeout, kill, two at once, close',
    inRealTime(() => {
      const listener = listen({ port: 0, host: '127.0.0.1' });
      assert.throws(() => listener.accept({ timeout: 1 }), Timeout);
      const killed = started(() => listener.accept());
      assert.throws(() => listener.accept(), ConcurrentUseError);
      killed.kill();
      using client = connect({ port: listener.port, host: '127.0.0.1' });
      using server = listener.accept();
      assert.equal(server.remotePort, client.localPort);
      const waiting = started(() => listener.accept());
      listener.close();
      assert.throws(() => waiting.get(), SocketClosedError);
      assert.throws(() => listener.accept(), SocketClosedError);
    }),
  );

  test(
    'connections beyond the backlog are dropped and counted',
    inRealTime(() => {
      using listener = listen({ port: 0, host: '127.0.0.1', backlog: 2 });
      const clients = Array.from({ length: 4 }, () =>
        connect({ port: listener.port, host: '127.0.0.1' }),
      );
      const ends = clients.map((client) => started(() => client.readable || client.recv().length));
      for (const end of ends) end.link(() => {});
      until(() => ends.filter((end) => end.dead).length === 2);
      assert.equal(listener.statistics().dropped, 2);
      // Those that wait are served.
      const accepted = [listener.accept(), listener.accept()];
      for (const socket of accepted) socket.sendAll('x');
      for (const end of ends) end.join();
      assert.equal(ends.filter((end) => end.value === 1).length, 2);
      for (const socket of [...clients, ...accepted]) socket.destroy();
    }),
  );
});

describe('datagrams', () => {
  test(
    'there and back, with timeout, kill and concurrent use',
    inRealTime(() => {
      using server = new DatagramSocket({ host: '127.0.0.1', port: 0 }).open();
      using client = new DatagramSocket();
      const to = { address: '127.0.0.1', port: server.address?.port as number };
      client.sendTo('ping', to);
      const { data, address } = server.recvFrom();
      assert.equal(data.toString(), 'ping');
      server.sendTo('pong', address);
      assert.equal(client.recvFrom().data.toString(), 'pong');
      assert.throws(() => server.recvFrom({ timeout: 1 }), Timeout);
      const reader = started(() => server.recvFrom());
      assert.throws(() => server.recvFrom(), ConcurrentUseError);
      reader.kill();
      const waiting = started(() => server.recvFrom());
      server.close();
      assert.throws(() => waiting.get(), SocketClosedError);
      assert.throws(() => server.sendTo('x', to), SocketClosedError);
      assert.throws(() => client.sendTo(Buffer.alloc(70_000), to), code('EMSGSIZE'));
    }),
  );

  test(
    'a full queue drops and counts',
    inRealTime(() => {
      using server = new DatagramSocket({ host: '127.0.0.1', maxQueued: 2 }).open();
      using client = new DatagramSocket();
      const to = { address: '127.0.0.1', port: server.address?.port as number };
      for (const data of ['1', '2', '3', '4']) client.sendTo(data, to);
      while (server.dropped < 2) sleep(1);
      assert.equal(server.recvFrom().data.toString(), '1');
    }),
  );
});

describe('select', () => {
  test(
    'returns those that are ready, and empty lists when the time is up',
    inRealTime(() => {
      using one = connected();
      using two = connected();
      const read = [one.client, two.client];
      assert.deepEqual(select(read, [], { timeout: 5 }), { readable: [], writable: [] });
      const selecting = started(() => select(read));
      two.server.sendAll('x');
      assert.deepEqual(selecting.get().readable, [two.client]);
      assert.deepEqual(select(read, [one.server]).writable, [one.server]);
      two.client.recv();
      one.server.end();
      assert.deepEqual(select(read).readable, [one.client]);
      const killed = started(() => select([two.client]));
      killed.kill();
      assert.throws(() => select([7 as never]), InvalidArgumentError);
    }),
  );
});

describe('wrap', () => {
  test(
    'takes any Duplex, and gives its errors on',
    inRealTime(() => {
      const failing = new Duplex({
        read() {
          this.destroy(Object.assign(new Error('broken'), { code: 'EBROKEN' }));
        },
        write: (_chunk, _encoding, done) => done(),
      });
      const socket = wrap(failing);
      assert.throws(() => socket.recv(), code('EBROKEN'));
      assert.equal(wait(Promise.resolve(1)), 1);
    }),
  );
});
