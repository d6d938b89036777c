import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Event, getHub, isExit, sleep, spawn } from '@tendril/core';
import { DatagramServer, StreamServer } from '@tendril/core/server';
import { connect, DatagramSocket, type Socket } from '@tendril/core/socket';
import { leaveNothing } from './helpers.js';
import { inRealTime, until } from './io-helpers.js';

leaveNothing();

const loopback = { port: 0, host: '127.0.0.1' };
const client = (server: StreamServer) => connect({ host: '127.0.0.1', port: server.port });
/** More than the kernel's buffers hold. */
const big = Buffer.alloc(24 * 1024 * 1024);

function ending(socket: Socket): string {
  try {
    return socket.readAll().toString();
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('stop()', () => {
  test(
    'leaves no connection behind, though a peer takes nothing and goes on sending',
    inRealTime(() => {
      for (const send of [
        (socket: Socket) => void socket.stream.write(big),
        (socket: Socket) => socket.sendAll(big),
      ]) {
        using server = new StreamServer(loopback, send);
        server.start();
        using socket = client(server);
        until(() => server.statistics().accepted === 1);
        const dribble = spawn(() => {
          for (;;) {
            socket.sendAll('x');
            sleep(1);
          }
        });
        dribble.link(() => {});
        server.stop({ timeout: 50 });
        assert.equal(server.statistics().connections, 0);
        assert.equal(server.active, 0);
        dribble.kill();
      }
    }),
  );

  test(
    'lets what handlers have sent go out to a peer that reads',
    inRealTime(() => {
      using server = new StreamServer(loopback, (socket) => void socket.stream.write(big));
      server.start();
      using socket = client(server);
      until(() => server.statistics().accepted === 1);
      const stopping = spawn(() => server.stop({ timeout: 60_000 }));
      assert.equal(socket.readAll({ max: big.length }).length, big.length);
      stopping.get();
    }),
  );

  test(
    'serves those in line while there is time, and closes the rest, which are never served',
    inRealTime(() => {
      const gate = new Event();
      const stuck = new Event();
      const log: string[] = [];
      using server = new StreamServer(
        loopback,
        (socket) => {
          const name = socket.readLine() as string;
          log.push(name);
          (name === 'second' ? stuck : gate).wait();
          socket.sendAll(name);
        },
        { spawn: 1 },
      );
      server.start();
      const clients = ['first', 'second', 'third'].map((name, i) => {
        const socket = client(server);
        socket.sendAll(`${name}\n`);
        until(() => server.active + server.statistics().waiting === i + 1);
        return socket;
      });
      const stopping = spawn(() => server.stop({ timeout: 300 }));
      sleep(0);
      gate.set();
      assert.deepEqual(clients.map(ending).slice(1), ['', '']);
      stopping.get();
      assert.deepEqual(log, ['first', 'second']);
      assert.equal(server.statistics().waiting, 0);
      for (const socket of clients) socket.destroy();
    }),
  );

  test(
    'ends, and says so, when a killed handler does not',
    inRealTime(() => {
      const hub = getHub();
      const { onError } = hub;
      const reported: string[] = [];
      const gate = new Event();
      try {
        hub.onError = (error) => void reported.push((error as Error).message);
        using server = new StreamServer(loopback, (socket) => {
          try {
            socket.recv();
          } finally {
            gate.wait();
          }
        });
        server.start();
        using socket = client(server);
        until(() => server.active === 1);
        server.stop({ timeout: 0, grace: 20 });
        assert.equal(server.statistics().connections, 0);
        assert.deepEqual(reported, ['1 handlers were killed and have not ended within 20 ms']);
        assert.equal(ending(socket), '');
        gate.set();
        until(() => server.active === 0);
      } finally {
        hub.onError = onError;
      }
    }),
  );

  test(
    'closes connections at rest at once, while others are served to their end',
    inRealTime(() => {
      const gate = new Event();
      using server = new StreamServer(
        loopback,
        (socket) => {
          socket.recv();
          gate.wait();
          socket.sendAll('served');
        },
        { per: 'input' },
      );
      server.start();
      using busy = client(server);
      using resting = client(server);
      busy.sendAll('x');
      until(() => server.active === 1 && server.statistics().connections === 2);
      const stopping = spawn(() => server.stop({ timeout: 60_000 }));
      assert.equal(ending(resting), '');
      gate.set();
      assert.equal(ending(busy), 'served');
      stopping.get();
    }),
  );

  test(
    'of a DatagramServer: those in line are given up when the time is over',
    inRealTime(() => {
      const log: string[] = [];
      using server = new DatagramServer(
        loopback,
        (data) => {
          log.push(String(data));
          try {
            new Event().wait({ timeout: 600_000 });
          } catch (error) {
            log.push(`killed: ${isExit(error)}`);
          }
        },
        { spawn: 1, maxWaiting: 1 },
      );
      server.start();
      using socket = new DatagramSocket();
      const to = { address: '127.0.0.1', port: server.port };
      socket.sendTo('one', to);
      until(() => log.length === 1);
      socket.sendTo('two', to);
      socket.sendTo('three', to);
      until(() => server.dropped === 1);
      server.stop({ timeout: 20 });
      assert.deepEqual(log, ['one', 'killed: true']);
      assert.equal(server.address, undefined);
    }),
  );
});
