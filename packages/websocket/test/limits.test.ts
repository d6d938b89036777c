import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Event, sleep, spawn } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import { connect, type WebSocket, websocketApp } from '@tendril/websocket';
import { next, rawClient, served, steady, until } from './helpers.js';

after(() => checkLeaks());

const mega = 1024 * 1024;
const hold = websocketApp((socket) => {
  while (!socket.closed) sleep(5);
});

describe('limits', () => {
  test('a message that is too long ends with 1009 on both sides', () => {
    let seen: WebSocket | undefined;
    return served(
      websocketApp((socket) => {
        seen = socket;
        assert.equal(socket.receive()?.length, mega);
        assert.equal(socket.receive(), undefined);
      }),
      ({ url }) => {
        const raw = rawClient(url);
        raw.send(Buffer.alloc(mega));
        raw.send(Buffer.alloc(mega + 1));
        assert.equal(next(raw, 'close')[0], 1009);
        until(() => seen?.closeCode !== undefined);
        assert.equal(seen?.closeCode, 1009);
        assert.equal(
          (seen?.error as NodeJS.ErrnoException | undefined)?.code,
          'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
        );
      },
    );
  });

  test('a client has limits, too', () =>
    served(
      websocketApp((socket) => {
        socket.send('x'.repeat(11));
        while (socket.receive() !== undefined);
      }),
      ({ url }) => {
        const socket = connect(url, { maxPayload: 10 });
        assert.equal(socket.receive(), undefined);
        assert.equal(socket.closeCode, 1009);
      },
    ));

  test('a sender waits for a slow reader, and little is kept for it', () => {
    const count = 1500;
    const piece = 'x'.repeat(64 * 1024 - 10);
    let sent = 0;
    let most = 0;
    return served(
      websocketApp((socket) => {
        for (; sent < count; sent++) {
          socket.send(`${sent} ${piece}`);
          most = Math.max(most, socket.bufferedAmount);
        }
      }),
      ({ url }) => {
        using socket = connect(url);
        steady(() => sent);
        assert.ok(sent < count, 'it should wait');
        assert.ok(most < 256 * 1024, `${most} bytes were kept`);
        let received = 0;
        for (const message of socket)
          assert.equal(Number.parseInt(message as string, 10), received++);
        assert.equal(received, count);
      },
    );
  });

  test('a client that floods a handler at work has to wait', () => {
    const go = new Event();
    const count = 800;
    let received = 0;
    return served(
      websocketApp((socket) => {
        go.wait();
        for (const message of socket) assert.equal((message as Buffer).readUInt32BE(), received++);
      }),
      ({ url }) => {
        const raw = rawClient(url);
        for (let i = 0; i < count; i++) {
          const message = Buffer.alloc(64 * 1024);
          message.writeUInt32BE(i);
          raw.send(message);
        }
        // Of 50 MB the kernel holds some, and the server little more than one.
        const unsent = steady(() => raw.bufferedAmount);
        assert.ok(unsent > 20 * mega, `${unsent} bytes wait`);
        go.set();
        raw.close();
        next(raw, 'close');
        until(() => received === count);
      },
    );
  });

  test('a peer that takes nothing is given up after sendTimeout', () => {
    let error: unknown;
    return served(
      websocketApp(
        (socket) => {
          try {
            for (;;) socket.send(Buffer.alloc(mega));
          } catch (reason) {
            error = reason;
          }
          assert.equal(socket.closed, true);
        },
        { sendTimeout: 50 },
      ),
      ({ url }) => {
        const raw = rawClient(url);
        raw.pause();
        until(() => error !== undefined);
        assert.equal((error as NodeJS.ErrnoException).code, 'ERR_TIMEOUT');
        raw.resume();
        next(raw, 'close');
      },
    );
  });

  test('a peer that does not answer pings is dead', () => {
    let seen: WebSocket | undefined;
    return served(
      websocketApp(
        (socket) => {
          seen = socket;
          assert.equal(socket.receive(), undefined);
        },
        { pingInterval: 250 },
      ),
      ({ url }) => {
        const alive = rawClient(url);
        until(() => seen !== undefined);
        for (let pings = 0; pings < 3; pings++) next(alive, 'ping');
        assert.equal(seen?.closed, false);
        alive.close();
        until(() => seen?.closed === true);
        seen = undefined;
        const raw = rawClient(url, { autoPong: false });
        const [code] = next(raw, 'close');
        assert.equal(code, 1006);
        until(() => seen?.closeCode === 1006);
      },
    );
  });

  test('a peer that does not answer a close is left after closeTimeout', () =>
    served(
      websocketApp((socket) => socket.close(4000), { closeTimeout: 30 }),
      ({ url, server }) => {
        const raw = rawClient(url);
        const closed = spawn(() => next(raw, 'close')[0]);
        raw.pause();
        until(() => server.statistics().connections === 0);
        raw.resume();
        assert.ok([1006, 4000].includes(closed.get() as number));
      },
    ));
});

describe('greenlets', () => {
  test('two may not receive at once', () =>
    served(hold, ({ url }) => {
      using socket = connect(url);
      const first = spawn(() => socket.receive());
      sleep();
      assert.throws(() => socket.receive(), { code: 'ERR_CONCURRENT_USE' });
      socket.close();
      assert.equal(first.get(), undefined);
    }));

  test('a kill and a timeout in receive() lose nothing', () =>
    served(
      websocketApp((socket) => {
        for (const message of socket) socket.send(message);
      }),
      ({ url }) => {
        using socket = connect(url);
        const killed = spawn(() => socket.receive());
        sleep();
        killed.kill();
        assert.throws(() => socket.receive({ timeout: 10 }), { code: 'ERR_TIMEOUT' });
        assert.throws(() => socket.receive({ timeout: 0 }), { code: 'ERR_TIMEOUT' });
        socket.send('one');
        assert.equal(socket.receive({ timeout: 30_000 }), 'one');
      },
    ));

  test('a kill in send() destroys the connection', () =>
    served(hold, ({ url }) => {
      const socket = connect(url);
      const sender = spawn(() => {
        for (;;) socket.send(Buffer.alloc(mega));
      });
      until(() => socket.bufferedAmount > 0);
      steady(() => socket.bufferedAmount);
      sender.kill();
      assert.equal(socket.closed, true);
      assert.throws(() => socket.send('more'), { code: 'ERR_WEBSOCKET_CLOSED' });
      assert.equal(socket.receive(), undefined);
      until(() => socket.closeCode === 1006);
    }));

  test('several may send at once, and each message stays whole', () =>
    served(
      websocketApp((socket) => {
        const senders = Array.from({ length: 8 }, (_, i) =>
          spawn(() => {
            for (let j = 0; j < 20; j++) socket.send(`${i}`.repeat(50_000));
          }),
        );
        for (const sender of senders) sender.get();
      }),
      ({ url }) => {
        const counts = new Map<string, number>();
        for (const message of connect(url)) {
          const [first = ''] = message as string;
          assert.equal(message, first.repeat(50_000));
          counts.set(first, (counts.get(first) ?? 0) + 1);
        }
        assert.deepEqual([...counts.values()], Array(8).fill(20));
      },
    ));

  test('a handler that throws closes with 1011, one that sends to nobody just ends', () => {
    const hub: string[] = [];
    return served(
      websocketApp((socket) => {
        try {
          if (socket.receive() === undefined) for (;;) socket.send('anybody?');
        } catch (error) {
          hub.push((error as NodeJS.ErrnoException).code ?? '');
          throw error;
        }
      }),
      ({ url }) => {
        rawClient(url).close();
        until(() => hub.length === 1);
        assert.deepEqual(hub, ['ERR_WEBSOCKET_CLOSED']);
      },
    );
  });

  test('stop() of the server closes with 1001', () => {
    const ends: string[] = [];
    return served(
      websocketApp((socket) => {
        try {
          socket.receive();
        } finally {
          ends.push('handler');
        }
      }),
      ({ url, server }) => {
        const sockets = [connect(url), connect(url)];
        const raw = rawClient(url);
        const closed = spawn(() => next(raw, 'close')[0]);
        sleep();
        server.stop({ timeout: 20 });
        assert.deepEqual(ends, ['handler', 'handler', 'handler']);
        for (const socket of sockets) {
          assert.equal(socket.receive(), undefined);
          assert.equal(socket.closeCode, 1001);
        }
        assert.equal(closed.get(), 1001);
      },
    );
  });
});
