import assert from 'node:assert/strict';
import type net from 'node:net';
import path from 'node:path';
import { Duplex } from 'node:stream';
import { describe, test } from 'node:test';
import { sleep, Timeout } from '@tendril/core';
import { select } from '@tendril/core/select';
import { connect, type Listener, listen, type Socket, wrap } from '@tendril/core/socket';
import { Popen, run } from '@tendril/core/subprocess';
import { leaveNothing } from './helpers.js';
import { inRealTime, makeCertificate, outcomeOf, started, temporaryFolder } from './io-helpers.js';

leaveNothing();
const folder = temporaryFolder();
const certificate = makeCertificate(folder, 'localhost');

/** More than the buffers of all kernels between two ends of a loopback connection hold. */
const big = Buffer.alloc(24 * 1024 * 1024, 7);

interface Pair extends Disposable {
  sender: Socket;
  peer: Socket;
}

function pairOf(sender: Socket, peer: Socket): Pair {
  return {
    sender,
    peer,
    [Symbol.dispose]() {
      sender.destroy();
      peer.destroy();
    },
  };
}

function over(open: () => Listener, reach: (listener: Listener) => Socket): Pair {
  using listener = open();
  const accepting = started(() => listener.accept());
  return pairOf(reach(listener), accepting.get());
}

/** Writes to one side are done when the other has room, as in a pipe. */
class Side extends Duplex {
  other: Side | undefined;
  #room: (() => void) | undefined;

  override _read(): void {
    const room = this.#room;
    this.#room = undefined;
    room?.();
  }
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (this.other?.push(chunk)) done();
    else if (this.other) this.other.#room = done;
  }
  override _final(done: () => void): void {
    this.other?.push(null);
    done();
  }
}

function duplexes(): Pair {
  const [one, two] = [new Side({ highWaterMark: 1000 }), new Side({ highWaterMark: 1000 })];
  [one.other, two.other] = [two, one];
  return pairOf(wrap(one), wrap(two));
}

const host = '127.0.0.1';
const kinds: Record<string, () => Pair> = {
  TCP: () =>
    over(
      () => listen({ host, port: 0 }),
      ({ port }) => connect({ host, port }),
    ),
  'Unix sockets': () => {
    const where = path.join(folder, 'sends.sock');
    return over(
      () => listen({ path: where }),
      () => connect({ path: where }),
    );
  },
  TLS: () =>
    over(
      () => listen({ host, port: 0, tls: certificate }),
      ({ port }) => connect({ host, port, tls: { ca: certificate.cert, servername: 'localhost' } }),
    ),
  'any Duplex': duplexes,
};

const sending = (socket: Socket, data: string | Uint8Array = big, options = {}) =>
  started(() => {
    socket.sendAll(data, options);
    return 'sent';
  });

function received(peer: Socket): number {
  let bytes = 0;
  for (const chunk of peer) bytes += chunk.length;
  return bytes;
}

const gone = ['ECONNRESET', 'EPIPE', 'ERR_SOCKET_CLOSED', 'ERR_STREAM_PREMATURE_CLOSE'];

for (const [kind, open] of Object.entries(kinds))
  describe(`a send that is parked, over ${kind}`, () => {
    for (const how of ['end', 'close'] as const)
      test(
        `goes on when another greenlet calls ${how}(), and returns when all has left`,
        inRealTime(() => {
          using pair = open();
          const sender = sending(pair.sender);
          pair.sender[how]();
          assert.equal(sender.dead, false);
          assert.equal(received(pair.peer), big.length);
          assert.equal(outcomeOf(sender), 'sent');
        }),
      );

    test(
      'is told when close() gives up on a peer that takes nothing, whatever that sends meanwhile',
      inRealTime(() => {
        using pair = open();
        const sender = sending(pair.sender);
        const dribble = started(() => {
          // Input keeps an idle timer from firing, not one that is total.
          while (!pair.sender.stream.destroyed) {
            pair.peer.sendAll('x');
            sleep(1);
          }
        });
        pair.sender.close({ timeout: 50 });
        assert.equal(outcomeOf(sender), 'ERR_SOCKET_CLOSED');
        assert.equal(pair.sender.stream.destroyed, true);
        dribble.kill();
      }),
    );

    test(
      'is told of destroy(), and of a peer that goes',
      inRealTime(() => {
        for (const strike of [
          ({ sender }: Pair) => sender.destroy(),
          ({ sender, peer }: Pair) => {
            peer.destroy();
            if (kind === 'any Duplex') sender.stream.destroy();
          },
          ({ sender }: Pair) =>
            sender.stream.destroy(Object.assign(new Error(), { code: 'EPIPE' })),
        ]) {
          using pair = open();
          const senders = [sending(pair.sender), sending(pair.sender, 'more')];
          strike(pair);
          for (const sender of senders) assert.ok(gone.includes(outcomeOf(sender) as string));
        }
      }),
    );

    test(
      'ends by its own timeout or a kill; those behind it are told',
      inRealTime(() => {
        for (const how of ['timeout', 'kill']) {
          using pair = open();
          const first = sending(pair.sender, big, how === 'timeout' ? { timeout: 20 } : {});
          const second = sending(pair.sender, 'more');
          if (how === 'kill') first.kill();
          else assert.throws(() => first.get(), Timeout);
          assert.equal(outcomeOf(second), 'ERR_SOCKET_CLOSED');
        }
      }),
    );

    test(
      'several return in order, each when its bytes have left',
      inRealTime(() => {
        using pair = open();
        const log: string[] = [];
        const part = big.subarray(0, big.length / 3);
        const senders = ['a', 'b', 'c'].map((name, i) =>
          started(() => {
            pair.sender.sendAll(part);
            // Only what others send behind it may be left.
            assert.ok(pair.sender.stream.writableLength <= (2 - i) * part.length);
            log.push(name);
          }),
        );
        assert.deepEqual(log, []);
        pair.peer.recvExactly(big.length);
        for (const sender of senders) sender.get();
        assert.equal(log.join(''), 'abc');
      }),
    );

    test(
      'select for writing returns when the output ends, by end(), close() or destroy()',
      inRealTime(() => {
        for (const how of ['end', 'close', 'destroy'] as const) {
          using pair = open();
          sending(pair.sender).link(() => {});
          const selecting = started(() => select([], [pair.sender]).writable);
          assert.equal(selecting.dead, false);
          pair.sender[how]();
          assert.deepEqual(selecting.get(), [pair.sender]);
          pair.peer.destroy();
        }
      }),
    );
  });

describe('a send to a child', () => {
  test(
    'goes on when another greenlet calls end(), and returns when all has left',
    inRealTime(() => {
      for (const how of ['end', 'close'] as const) {
        using child = new Popen('sh', ['-c', 'read go; wc -c']);
        const stdin = child.stdin as Socket;
        const sender = sending(stdin, Buffer.concat([Buffer.from('\n'), big]));
        stdin[how]();
        assert.equal(Number(child.stdout?.readAll()), big.length);
        assert.equal(outcomeOf(sender), 'sent');
        assert.equal(child.wait(), 0);
      }
    }),
  );

  test(
    'is told when the child ends without reading, and goes on where others read in its place',
    inRealTime(() => {
      using child = new Popen('sh', ['-c', 'exec sleep 60']);
      const sender = sending(child.stdin as Socket);
      child.kill();
      assert.ok(gone.includes(outcomeOf(sender) as string));
      // The reader in the background outlives the shell.
      using parent = new Popen('sh', ['-c', 'exec 3<&0; (sleep 0.2; wc -c <&3) & exit 0']);
      const second = sending(parent.stdin as Socket);
      assert.equal(parent.wait(), 0);
      parent.stdin?.end();
      assert.equal(Number(parent.stdout?.readAll()), big.length);
      assert.equal(outcomeOf(second), 'sent');
    }),
  );

  test(
    'as `input` reaches whoever reads it, after the end of the child itself, too',
    inRealTime(() => {
      const script = 'exec 3<&0; (sleep 0.2; wc -c <&3) & exit 0';
      assert.equal(Number(run('sh', ['-c', script], { input: big }).stdout), big.length);
    }),
  );
});

test(
  'a peer that resets while the kernel still takes bytes: the next send throws',
  inRealTime(() => {
    using pair = (kinds.TCP as () => Pair)();
    (pair.peer.stream as net.Socket).resetAndDestroy();
    const sender = started(() => {
      for (;;) pair.sender.sendAll('x');
    });
    assert.ok(['ECONNRESET', 'EPIPE'].includes(outcomeOf(sender) as string));
  }),
);
