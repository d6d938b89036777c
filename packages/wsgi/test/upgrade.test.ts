import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Event, run, sleep } from '@tendril/core';
import { connect } from '@tendril/core/socket';
import { checkLeaks } from '@tendril/core/testing';
import { type Application, type Upgrade, WSGIServer } from '@tendril/wsgi';
import { until } from './serving.js';

after(() => checkLeaks());

const request = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n';

function served(app: Application, use: (port: number) => void): Promise<void> {
  return run(() => {
    using server = new WSGIServer({ port: 0, host: '127.0.0.1' }, app);
    server.start();
    use(server.port);
    server.stop();
  });
}

test('who takes a connection over reads it to its end, and is not killed when the client goes', () => {
  const got: string[] = [];
  const [taken, gone] = [new Event(), new Event()];
  const echo: Application = (environ, startResponse) => {
    if (!environ['tendril.upgrade']) {
      startResponse('200 OK', []);
      return ['other'];
    }
    const socket = (environ['tendril.upgrade'] as Upgrade)();
    socket.sendAll(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n',
    );
    for (const chunk of socket) {
      taken.set();
      gone.wait();
      got.push(chunk.toString());
    }
    socket.destroy();
    sleep(10);
    got.push('end');
    return [];
  };
  return served(echo, (port) => {
    using socket = connect({ host: '127.0.0.1', port });
    socket.sendAll(request);
    socket.readUntil('\r\n\r\n');
    socket.sendAll('one');
    taken.wait();
    socket.sendAll('two');
    socket.close();
    // By the time that others who came later have been answered, the server has seen it.
    for (let i = 0; i < 3; i++) {
      using other = connect({ host: '127.0.0.1', port });
      other.sendAll('GET / HTTP/1.0\r\n\r\n');
      other.readAll();
    }
    gone.set();
    until(() => got.includes('end'));
    assert.deepEqual(got, ['one', 'two', 'end']);
  });
});

test('a 426 names the protocol that it wants', () => {
  const app: Application = (_environ, startResponse) => {
    startResponse('426 Upgrade Required', [['Upgrade', 'echo']]);
    return ['no'];
  };
  return served(app, (port) => {
    using socket = connect({ host: '127.0.0.1', port });
    socket.sendAll('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const head = socket.readUntil('\r\n\r\n').toString();
    assert.match(head, /^HTTP\/1.1 426 .*\r\nUpgrade: echo\r\n/);
    assert.match(head, /\r\nConnection: upgrade\r\n/);
  });
});

test('other responses may not name an upgrade', () => {
  const errors: unknown[] = [];
  const app: Application = (_environ, startResponse) => {
    try {
      startResponse('200 OK', [['Upgrade', 'echo']]);
    } catch (error) {
      errors.push((error as NodeJS.ErrnoException).code);
      startResponse('200 OK', []);
    }
    return [''];
  };
  return served(app, (port) => {
    using socket = connect({ host: '127.0.0.1', port });
    socket.sendAll('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    socket.readUntil('\r\n\r\n');
    assert.deepEqual(errors, ['ERR_WSGI_HOP']);
  });
});
