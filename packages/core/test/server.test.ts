import assert from 'node:assert/strict';
import { spawn as spawnProcess } from 'node:child_process';
import net from 'node:net';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  Event,
  getHub,
  InvalidArgumentError,
  isExit,
  joinall,
  SocketClosedError,
  sleep,
  spawn,
  UnsupportedError,
} from '@tendril/core';
import { DatagramServer, StreamServer } from '@tendril/core/server';
import { connect, DatagramSocket, type Socket } from '@tendril/core/socket';
import { VirtualClock } from '@tendril/core/testing';
import { statistics } from '@tendril/fiber';
import { leaveNothing, withoutCertificates } from './helpers.js';
import { inRealTime, until } from './io-helpers.js';

leaveNothing();

const loopback = { port: 0, host: '127.0.0.1' };
const client = (server: StreamServer) => connect({ host: '127.0.0.1', port: server.port });

function echo(socket: Socket): void {
  for (const chunk of socket) socket.sendAll(chunk);
}

describe('StreamServer', () => {
  test(
    'serves many at once and closes each connection at the end of its handler',
    inRealTime(() => {
      using server = new StreamServer(loopback, echo);
      server.start();
      const clients = Array.from({ length: 100 }, (_, i) =>
        spawn(() => {
          using socket = client(server);
          for (let k = 0; k < 10; k++) {
            socket.sendAll(`${i} ${k}\n`);
            assert.equal(socket.readLine(), `${i} ${k}`);
          }
          socket.end();
          assert.equal(socket.recv().length, 0);
        }),
      );
      joinall(clients, { raiseError: true });
      until(() => server.statistics().connections === 0);
      assert.equal(server.statistics().accepted, 100);
      server.stop();
      assert.throws(() => client(server), { code: 'ECONNREFUSED' });
      assert.throws(() => server.start(), SocketClosedError);
    }),
  );

  test(
    'a pool that is full lets connections wait, and closes those beyond maxWaiting',
    inRealTime(() => {
      const gate = new Event();
      using server = new StreamServer(
        loopback,
        (socket) => {
          gate.wait();
          socket.sendAll('served');
        },
        { spawn: 2, maxWaiting: 3 },
      );
      server.start();
      const clients = Array.from({ length: 7 }, () => client(server));
      until(() => server.statistics().dropped === 2);
      assert.equal(server.statistics().active, 2);
      assert.equal(server.statistics().waiting, 3);
      gate.set();
      const answers = clients.map((socket) => {
        try {
          return socket.readAll().toString();
        } catch {
          return '';
        } finally {
          socket.destroy();
        }
      });
      assert.equal(answers.filter((answer) => answer === 'served').length, 5);
      until(() => server.statistics().connections === 0);
      assert.equal(server.statistics().waiting, 0);
    }),
  );

  test(
    'per input: a connection at rest has no greenlet and no stack',
    inRealTime(() => {
      using server = new StreamServer(loopback, (socket) => socket.sendAll(socket.recv()), {
        per: 'input',
      });
      server.start();
      const clients = Array.from({ length: 50 }, () => client(server));
      for (let round = 0; round < 3; round++) {
        for (const socket of clients) socket.sendAll(`round ${round}`);
        for (const socket of clients) assert.equal(socket.recv().toString(), `round ${round}`);
      }
      until(() => server.active === 0);
      assert.equal(server.statistics().connections, 50);
      assert.equal(getHub().taskCount, 1, 'this greenlet only');
      assert.ok(statistics().live < 50);
      for (const socket of clients) socket.end();
      for (const socket of clients) assert.equal(socket.recv().length, 0);
      until(() => server.statistics().connections === 0);
      for (const socket of clients) socket.destroy();
    }),
  );

  test(
    'an error of a handler is reported and closes that connection only',
    inRealTime(() => {
      const hub = getHub();
      const { onError } = hub;
      const reported: unknown[] = [];
      hub.onError = (error) => void reported.push(error);
      try {
        using server = new StreamServer(loopback, (socket) => {
          if (socket.readLine() === 'fail') throw new Error('as asked');
          socket.sendAll('fine');
        });
        server.start();
        using bad = client(server);
        using good = client(server);
        bad.sendAll('fail\n');
        assert.equal(ending(bad), '');
        good.sendAll('ok\n');
        assert.equal(good.recv().toString(), 'fine');
        assert.deepEqual(
          reported.map((error) => (error as Error).message),
          ['as asked'],
        );
      } finally {
        hub.onError = onError;
      }
    }),
  );

  test(
    'stop() lets handlers end, and kills those that take too long; finally blocks run',
    inRealTime(() => {
      const log: string[] = [];
      const gate = new Event();
      using server = new StreamServer(loopback, (socket) => {
        const name = socket.readLine();
        try {
          if (name === 'quick') gate.wait();
          else socket.recv();
          log.push(`${name} done`);
        } catch (error) {
          log.push(`${name} killed: ${isExit(error)}`);
          throw error;
        } finally {
          log.push(`${name} finally`);
        }
      });
      server.start();
      using quick = client(server);
      using slow = client(server);
      quick.sendAll('quick\n');
      slow.sendAll('slow\n');
      until(() => server.active === 2);
      const serving = spawn(() => server.serveForever());
      sleep(0);
      using clock = VirtualClock.install({ autoJump: false });
      const stopping = spawn(() => server.stop({ timeout: 100 }));
      sleep(0);
      gate.set();
      until(() => log.length === 2);
      clock.advance(100);
      stopping.get();
      serving.get();
      assert.deepEqual(log, ['quick done', 'quick finally', 'slow killed: true', 'slow finally']);
      assert.equal(server.active, 0);
    }),
  );

  test(
    'a kill of serveForever() stops the server',
    inRealTime(() => {
      const server = new StreamServer(loopback, echo);
      const serving = spawn(() => server.serveForever({ timeout: 0 }));
      until(() => server.started);
      using socket = client(server);
      socket.sendAll('x');
      socket.recv();
      serving.kill();
      assert.equal(server.closed, true);
      assert.equal(ending(socket), '');
    }),
  );

  test(
    'a client that goes while it waits in line is passed over',
    inRealTime(() => {
      const gate = new Event();
      let served = 0;
      using server = new StreamServer(
        loopback,
        () => {
          served++;
          gate.wait();
        },
        { spawn: 1 },
      );
      server.start();
      using first = client(server);
      until(() => served === 1);
      const gone = client(server);
      until(() => server.statistics().waiting === 1);
      (gone.stream as net.Socket).resetAndDestroy();
      until(() => server.statistics().connections === 1);
      gate.set();
      until(() => server.statistics().waiting === 0);
      assert.equal(served, 1);
      assert.equal(ending(first), '');
    }),
  );

  test(
    'refuses bad arguments',
    inRealTime(() => {
      assert.throws(() => new StreamServer(0, 7 as never), InvalidArgumentError);
      assert.throws(() => new StreamServer(0, echo, { per: 'day' as never }), InvalidArgumentError);
      assert.throws(() => new StreamServer(0, echo, { spawn: 0 }), InvalidArgumentError);
      assert.throws(() => new StreamServer(0, echo, { spawn: {} as never }), InvalidArgumentError);
      const shared = new StreamServer({ ...loopback, reusePort: true }, echo);
      const [major = 0] = process.versions.node.split('.').map(Number);
      if (major < 23) assert.throws(() => shared.start(), UnsupportedError);
      else {
        shared.start();
        const other = new StreamServer(
          { host: '127.0.0.1', port: shared.port, reusePort: true },
          echo,
        );
        other.start();
        assert.equal(other.port, shared.port);
        other.close();
      }
      shared.close();
    }),
  );

  test('out of file descriptors it serves on when some are free again', async () => {
    const script = fileURLToPath(new URL('../test/scripts/fd-exhaustion.mjs', import.meta.url));
    const child = spawnProcess(process.execPath, [script], {
      env: withoutCertificates(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    const port = await new Promise<number>((resolve) => {
      child.stdout.on('data', (data) => {
        output += data;
        resolve(Number.parseInt(output, 10));
      });
    });
    const crowd = await Promise.all(
      Array.from(
        { length: 60 },
        () =>
          new Promise<net.Socket>((resolve) => {
            const socket = net.connect(port, '127.0.0.1', () => resolve(socket));
            socket.on('error', () => resolve(socket));
          }),
      ),
    );
    // libuv closes the connections that it has no descriptor for.
    await Promise.race(
      crowd.map((socket) => new Promise((resolve) => socket.once('close', resolve))),
    );
    for (const socket of crowd) socket.destroy();
    const answer = await new Promise<string>((resolve, reject) => {
      const attempt = (left: number) => {
        const socket = net.connect(port, '127.0.0.1', () => socket.write('alive'));
        socket.once('data', (data) => {
          socket.destroy();
          resolve(String(data));
        });
        const again = () => (left > 0 ? setTimeout(() => attempt(left - 1), 20) : reject());
        socket.once('error', again).once('end', again);
      };
      attempt(3000);
    });
    assert.equal(answer, 'alive');
    child.kill('SIGTERM');
    const status = await new Promise((resolve) => child.once('exit', resolve));
    assert.equal(status, 0);
    const counts = JSON.parse(output.split('\n')[1] ?? '');
    assert.ok(counts.accepted < 61, output);
  });
});

function ending(socket: Socket): string {
  try {
    return socket.readAll({ timeout: 60_000 }).toString();
  } catch (error) {
    if ((error as { code: string }).code === 'ECONNRESET') return '';
    throw error;
  }
}

describe('DatagramServer', () => {
  test(
    'answers each datagram from a greenlet; too many waiting are dropped',
    inRealTime(() => {
      const gate = new Event();
      let begun = false;
      using server = new DatagramServer(
        { host: '127.0.0.1' },
        (data, address) => {
          if (data.toString() === 'wait') {
            begun = true;
            gate.wait();
          }
          server.sendTo(`got ${data}`, address);
        },
        { spawn: 1, maxWaiting: 1 },
      );
      server.start();
      using socket = new DatagramSocket();
      const to = { address: '127.0.0.1', port: server.port };
      socket.sendTo('hello', to);
      assert.equal(socket.recvFrom().data.toString(), 'got hello');
      socket.sendTo('wait', to);
      until(() => begun);
      socket.sendTo('queued', to);
      socket.sendTo('dropped', to);
      until(() => server.dropped === 1);
      gate.set();
      assert.equal(socket.recvFrom().data.toString(), 'got wait');
      assert.equal(socket.recvFrom().data.toString(), 'got queued');
      server.stop();
      assert.equal(server.address, undefined);
    }),
  );
});
