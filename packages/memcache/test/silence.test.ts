/** A network that goes silent while it is in use: nothing comes through, and nobody is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openGate } from '@tendril/adapter-suite';
import { killall, rethrowExit, sleep, spawn, Timeout, wait, withTimeout } from '@tendril/core';
import { Client, Utils } from '#src/index.js';
import { failureOf, nameOf, until, withServers } from './helpers.js';

test(
  'greenlets with short limits of their own: the connection is given up, and a new one serves them',
  withServers(1, (service) => {
    const gate = wait(openGate(service));
    using client = Client.create(nameOf(gate), { timeout: 0.3, retries: 0 });
    client.set('a', 'b');
    let right = 0;
    const users = Array.from({ length: 5 }, () =>
      spawn(() => {
        for (;;) {
          try {
            if (String(withTimeout(40, () => client.get('a')).value) === 'b') right++;
          } catch (error) {
            rethrowExit(error);
            if (!(error instanceof Timeout) && !(error instanceof Error && 'code' in error))
              throw error;
          }
          sleep(5);
        }
      }),
    );
    until('they are served', () => right > 20);
    const { accepted } = gate;
    gate.silence();
    until('there is a new connection', () => gate.accepted > accepted);
    const before = right;
    until('they are served again', () => right > before + 20);
    // One for all of them; another one where a busy machine kept the server silent for as long.
    assert.ok(gate.accepted - accepted < users.length, `${gate.accepted - accepted} connections`);
    killall(users);
    until('nothing is left on its way', () => client.servers[0]?.pending === 0);
    assert.equal(client.servers[0]?.waiting, 0);
    wait(gate.close());
  }),
);

test(
  'those whose answers were on their way fail by their limit, in all; what is asked meanwhile does not',
  withServers(1, (service) => {
    const gate = wait(openGate(service));
    using client = Client.create(nameOf(gate), { timeout: 0.2, retries: 0 });
    client.set('a', 'b');
    gate.silence();
    const lost = [1, 2, 3].map(() =>
      spawn(() => failureOf(() => client.getMulti(['a', 'c'])).code),
    );
    for (const each of lost) assert.equal(each.get(), 'ERR_MEMCACHE_TIMEOUT');
    assert.equal(String(client.get('a').value), 'b');
    wait(gate.close());
  }),
);

test('Utils are those of memjs', () => {
  assert.equal(typeof Utils.hashCode('a'), 'number');
  const { header, key } = Utils.parseMessage(Utils.makeRequestBuffer(0, 'k', '', '', 7));
  assert.deepEqual([header.opcode, `${key}`, header.opaque], [0, 'k', 7]);
});
