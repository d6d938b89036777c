import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { getHub, isExit, run, sleep } from '@tendril/core';
import { connect } from '@tendril/core/socket';
import { checkLeaks } from '@tendril/core/testing';
import { WSGIServer } from '@tendril/wsgi';
import { until } from './serving.js';

after(() => checkLeaks());

test('an application that is killed because its client has gone is no error', async () => {
  const hub = getHub();
  const { onError } = hub;
  const reported: unknown[] = [];
  hub.onError = (error) => reported.push(error);
  let begun = false;
  let killed = false;
  try {
    await run(() => {
      using server = new WSGIServer(
        { port: 0, host: '127.0.0.1' },
        () => {
          try {
            begun = true;
            sleep(60_000);
          } catch (error) {
            killed = isExit(error);
            throw error;
          }
          return [];
        },
        { killOnDisconnect: true },
      );
      server.start();
      const socket = connect({ host: '127.0.0.1', port: server.port });
      socket.sendAll('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      until(() => begun);
      socket.close();
      until(() => killed);
      server.stop();
    });
  } finally {
    hub.onError = onError;
  }
  assert.equal(killed, true);
  assert.deepEqual(reported, []);
});
