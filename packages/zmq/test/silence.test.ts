/** A network that goes silent: nothing comes through, and nobody is told. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openGate } from '@tendril/adapter-suite';
import { spawn, wait } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import * as zmq from '@tendril/zmq';
import { inGreenlet, text } from './helpers.js';

after(() => checkLeaks());

test('keep-alive and a limit for what is unacknowledged are on, unless told otherwise', () => {
  using socket = new zmq.Dealer();
  const { tcpKeepalive, tcpKeepaliveIdle, tcpKeepaliveInterval, tcpKeepaliveCount } = socket;
  assert.deepEqual(
    [tcpKeepalive, tcpKeepaliveIdle, tcpKeepaliveInterval, tcpKeepaliveCount],
    [1, 30, 10, 3],
  );
  assert.equal(socket.tcpMaxRetransmitTimeout, 60_000);
  using other = new zmq.Dealer({ tcpKeepalive: 0, tcpMaxRetransmitTimeout: 5000 });
  assert.deepEqual([other.tcpKeepalive, other.tcpMaxRetransmitTimeout], [0, 5000]);
});

test(
  'with heartbeats the connection is made anew, and who waits for messages gets them',
  inGreenlet(() => {
    using router = new zmq.Router({ linger: 0 });
    router.bind('tcp://127.0.0.1:*');
    const server = spawn(() => {
      for (const message of router) router.send(message);
    });
    const port = Number(router.lastEndpoint?.split(':').at(-1));
    const gate = wait(openGate({ host: '127.0.0.1', port }));
    try {
      using dealer = new zmq.Dealer({ linger: 0, heartbeatInterval: 100, reconnectInterval: 20 });
      dealer.connect(`tcp://127.0.0.1:${gate.port}`);
      dealer.send('before');
      assert.deepEqual(text(dealer.receive()), ['before']);
      const before = gate.accepted;
      gate.silence();
      while (gate.accepted === before) wait(new Promise((resolve) => setTimeout(resolve, 5)));
      dealer.send('after');
      assert.deepEqual(text(dealer.receive()), ['after']);
    } finally {
      server.kill();
      wait(gate.close());
    }
  }),
);
