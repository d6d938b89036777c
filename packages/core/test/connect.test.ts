import assert from 'node:assert/strict';
import diagnostics from 'node:diagnostics_channel';
import { once } from 'node:events';
import net, { type LookupFunction } from 'node:net';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { InvalidArgumentError, isExit, spawn, Timeout, wait } from '@tendril/core';
import { ConnectError, connect, listen, type Socket } from '@tendril/core/socket';
import { Popen } from '@tendril/core/subprocess';
import { VirtualClock } from '@tendril/core/testing';
import { leaveNothing } from './helpers.js';
import {
  code,
  inRealTime,
  makeCertificate,
  started,
  temporaryFolder,
  until,
} from './io-helpers.js';

leaveNothing();
const certificate = makeCertificate(temporaryFolder(), 'localhost');

const found =
  (...addresses: string[]): LookupFunction =>
  (_host, _options, callback) =>
    process.nextTick(
      callback,
      null,
      addresses.map((address) => ({ address, family: net.isIP(address) })),
    );

/** The connections that are begun meanwhile, each with its destination. */
class Begun implements Disposable {
  readonly sockets: net.Socket[] = [];
  readonly #note = (message: unknown) =>
    void this.sockets.push((message as { socket: net.Socket }).socket);

  constructor() {
    diagnostics.subscribe('net.client.socket', this.#note);
  }
  get open(): number {
    return this.sockets.filter((socket) => !socket.destroyed).length;
  }
  [Symbol.dispose](): void {
    diagnostics.unsubscribe('net.client.socket', this.#note);
  }
}

/** A host that answers no handshake until it is told to. */
class SlowHost implements Disposable {
  readonly port: number;
  readonly #child: Popen;
  readonly #crowd: net.Socket[];

  constructor(host: string) {
    const script = fileURLToPath(new URL('../test/scripts/slow-host.mjs', import.meta.url));
    this.#child = new Popen(process.execPath, [script, host]);
    this.port = Number(this.#child.stdout?.readLine());
    this.#child.kill('SIGSTOP');
    // A queue for 1 takes 2 (listen(2)); one that is not taken shows that it is full.
    this.#crowd = Array.from({ length: 3 }, () =>
      net.connect(this.port, host).on('error', () => {}),
    );
    until(() => this.#crowd.filter(({ connecting }) => !connecting).length === 2);
  }
  goOn(): void {
    this.#child.kill('SIGCONT');
  }
  [Symbol.dispose](): void {
    for (const socket of this.#crowd) socket.destroy();
    this.#child.kill('SIGKILL');
    this.#child.wait();
    this.#child[Symbol.dispose]();
  }
}

const host = 'several.test';

describe('connect to a name with several addresses', () => {
  test(
    'the next is tried beside the one before; the first to answer wins, the others are closed',
    inRealTime(() => {
      using slow = new SlowHost('127.0.0.9');
      const { port } = slow;
      using listener = listen({ host: '127.0.0.1', port });
      using clock = VirtualClock.install({ autoJump: false });
      using begun = new Begun();
      const lookup = found('127.0.0.9', '127.0.0.1');
      const connecting = started(() => connect({ host, port, lookup }));
      until(() => begun.sockets.length === 1);
      clock.advance(249);
      assert.equal(begun.sockets.length, 1, 'the default is 250 ms');
      clock.advance(1);
      assert.equal(begun.sockets.length, 2);
      assert.equal(begun.open, 2, 'the first is under way still');
      using socket = connecting.get();
      assert.equal(socket.remoteAddress, '127.0.0.1');
      assert.equal(begun.open, 1);
      listener.accept().destroy();
      const other = started(() => connect({ host, port, lookup, attemptDelay: 40 }));
      until(() => begun.sockets.length === 3);
      clock.advance(40);
      other.get().destroy();
      listener.accept().destroy();
    }),
  );

  test(
    'a host that answers after all others have failed is reached',
    inRealTime(() => {
      using slow = new SlowHost('127.0.0.9');
      const { port } = slow;
      using clock = VirtualClock.install({ autoJump: false });
      using begun = new Begun();
      const lookup = found('127.0.0.9', '127.0.0.8', '::1');
      const connecting = started(() => connect({ host, port, lookup }));
      until(() => begun.sockets.length === 1);
      clock.advance(250);
      until(() => begun.sockets.length === 3 && begun.open === 1);
      slow.goOn();
      using socket = connecting.get();
      assert.equal(socket.readAll().toString(), 'late');
    }),
  );

  test(
    'one that fails is followed at once, and the families take turns',
    inRealTime(() => {
      using _clock = VirtualClock.install({ autoJump: false });
      using listener = listen({ host: '127.0.0.1', port: 0 });
      const { port } = listener;
      using reached = connect({ host, port, lookup: found('127.0.0.5', '::1', '127.0.0.1') });
      assert.equal(reached.remoteAddress, '127.0.0.1');
      const lookup = found('::1', '::ffff:127.0.0.3', '127.0.0.4', '127.0.0.5');
      assert.throws(
        () => connect({ host, port, lookup }),
        (error: ConnectError) => {
          assert.ok(error instanceof ConnectError);
          const addresses = error.errors.map((one) => (one as { address?: string }).address);
          assert.deepEqual(addresses, ['::1', '127.0.0.4', '::ffff:127.0.0.3', '127.0.0.5']);
          assert.equal(error.code, 'ECONNREFUSED');
          for (const address of addresses) assert.ok(error.message.includes(String(address)));
          return true;
        },
      );
      for (const [family, first] of [
        [4, '127.0.0.4'],
        [6, '::1'],
      ] as const)
        assert.throws(
          () => connect({ host, port, lookup, family }),
          (error: ConnectError) =>
            error.errors.length === 2 && String(error.message).includes(first),
        );
    }),
  );

  test(
    'a kill and the time for all of it close every attempt',
    inRealTime(() => {
      using slow = new SlowHost('127.0.0.9');
      const { port } = slow;
      for (const how of ['kill', 'timeout']) {
        using clock = VirtualClock.install({ autoJump: false });
        using begun = new Begun();
        const lookup = found('127.0.0.9', '127.0.0.9');
        const connecting = started(() => connect({ host, port, lookup, timeout: 1000 }));
        until(() => begun.sockets.length === 1);
        clock.advance(250);
        assert.equal(begun.open, 2);
        if (how === 'kill') {
          connecting.kill();
          assert.ok(isExit(connecting.value));
        } else {
          clock.advance(749);
          assert.equal(begun.open, 2);
          clock.advance(1);
          assert.throws(() => connecting.get(), Timeout);
        }
        assert.equal(begun.open, 0);
        assert.equal(clock.pending, 0);
      }
    }),
  );

  test(
    'TLS is spoken with the winner alone, within the same time',
    inRealTime(() => {
      using slow = new SlowHost('127.0.0.9');
      const { port } = slow;
      using listener = listen({ host: '127.0.0.1', port, tls: certificate });
      using clock = VirtualClock.install({ autoJump: false });
      using begun = new Begun();
      const tls = { ca: certificate.cert };
      const lookup = found('127.0.0.9', '127.0.0.1');
      const accepting = spawn(() => listener.accept());
      const connecting = started(() => connect({ host: 'localhost', port, lookup, tls }));
      until(() => begun.sockets.length === 1);
      clock.advance(250);
      using socket = connecting.get();
      using _accepted = accepting.get();
      assert.equal(socket.authorized, true);
      assert.equal(socket.servername, 'localhost');
      assert.equal(socket.remoteAddress, '127.0.0.1');
      using mute = listen({ host: '127.0.0.1', port: 0 });
      const silent = started(() =>
        connect({ host, port: mute.port, lookup: found('127.0.0.1'), tls, timeout: 500 }),
      );
      using _peer = mute.accept();
      clock.advance(500);
      assert.throws(() => silent.get(), Timeout);
    }),
  );
});

describe('the options of connect', () => {
  test(
    '`lookup` has the signature of dns.lookup, in all its forms',
    inRealTime(() => {
      using listener = listen({ host: '127.0.0.1', port: 0 });
      const { port } = listener;
      const asked: unknown[] = [];
      const one = ((name: string, options: object, callback: (...args: unknown[]) => void) => {
        asked.push([name, options]);
        process.nextTick(callback, null, '127.0.0.1', 4);
      }) as LookupFunction;
      connect({ host, port, lookup: one, hints: 4, family: 4 }).destroy();
      assert.deepEqual(asked, [[host, { family: 4, hints: 4, all: true }]]);
      connect({ host: '127.0.0.1', port, lookup: one }).destroy();
      assert.equal(asked.length, 1, 'an address is no name');
      const failing = ((_name: string, _options: object, callback: (error: Error) => void) =>
        process.nextTick(callback, Object.assign(new Error('no'), { code: 'ENOTFOUND' }))) as never;
      assert.throws(() => connect({ host, port, lookup: failing }), code('ENOTFOUND'));
      const throwing = (() => {
        throw Object.assign(new Error('no'), { code: 'EMINE' });
      }) as never;
      assert.throws(() => connect({ host, port, lookup: throwing }), code('EMINE'));
      assert.throws(() => connect({ host, port, lookup: found() }), code('ENOTFOUND'));
      const never = (() => {}) as never;
      assert.throws(() => connect({ host, port, lookup: never, timeout: 1 }), Timeout);
    }),
  );

  test(
    '`localAddress` and `localPort` are the local end, and the family with it',
    inRealTime(() => {
      using listener = listen({ host: '127.0.0.1', port: 0 });
      const { port } = listener;
      const lookup = found('::1', '127.0.0.1');
      using socket: Socket = connect({ host, port, lookup, localAddress: '127.0.0.7' });
      assert.equal(socket.localAddress, '127.0.0.7');
      const localPort = socket.localPort as number;
      using other = connect({ host, port, localPort, localAddress: '127.0.0.8', lookup });
      assert.equal(other.localPort, localPort);
      assert.throws(() => connect({ port, localAddress: 'here' }), InvalidArgumentError);
      assert.throws(() => connect({ port, family: 5 as never }), InvalidArgumentError);
      assert.throws(() => connect({ port, attemptDelay: -1 }), InvalidArgumentError);
    }),
  );

  test(
    'a peer that resets at once strikes nobody else',
    inRealTime(() => {
      const server = net.createServer((socket) => socket.resetAndDestroy()).listen(0, '127.0.0.1');
      wait(once(server, 'listening'));
      const { port } = server.address() as net.AddressInfo;
      for (let i = 0; i < 20; i++) {
        try {
          using socket = connect({ host: '127.0.0.1', port });
          socket.recv();
          assert.fail('the peer has reset');
        } catch (error) {
          assert.ok(code('ECONNRESET')(error));
        }
      }
      server.close();
    }),
  );
});
