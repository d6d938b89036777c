import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { openGate, startService } from '@tendril/adapter-suite';
import { type Greenlet, killall, sleep, spawn, Timeout, wait } from '@tendril/core';
import type { Client } from '@tendril/redis';
import { RESP_TYPES } from 'redis';
import { address, clientOf, redisTest, until, useServer } from './helpers.js';

useServer();

redisTest('blocking commands stop nobody else', (client) => {
  const waiting = Array.from({ length: 20 }, (_, i) => spawn(() => client.blPop(`list${i}`, 0)));
  until(() => client.statistics().lent === 20);
  assert.equal(client.echo('meanwhile'), 'meanwhile');
  for (let i = 0; i < 20; i++) client.rPush(`list${i}`, `element${i}`);
  for (const [i, each] of waiting.entries())
    assert.deepEqual({ ...each.get() }, { key: `list${i}`, element: `element${i}` });
  assert.equal(client.statistics().idle, 20);
});

redisTest('500 kills while numbers are pushed: each comes once, or is still there', (client) => {
  const count = 2000;
  const seen: number[] = [];
  const eat = () => {
    for (;;) {
      const got = client.blPop('numbers', 0);
      if (got) seen.push(Number(got.element));
    }
  };
  const eaters: Greenlet[] = Array.from({ length: 10 }, () => spawn(eat));
  const producer = spawn(() => {
    for (let n = 0; n < count; n++) {
      client.rPush('numbers', String(n));
      if (n % 3 === 0) sleep(1);
    }
  });
  let kills = 0;
  let seed = 1;
  for (; kills < 500; kills++) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    const at = seed % eaters.length;
    eaters[at]?.kill();
    eaters[at] = spawn(eat);
    if (seed % 3 === 0) sleep(1);
  }
  producer.join();
  killall(eaters);
  until(() => client.statistics().lent === 0);
  const left = client.lRange('numbers', 0, -1).map(Number);
  const all = [...seen, ...left].sort((a, b) => a - b);
  assert.equal(new Set(all).size, all.length, 'none came twice');
  assert.deepEqual(
    all,
    Array.from({ length: count }, (_, n) => n),
    'none is lost',
  );
  assert.ok(seen.length > 100);
});

redisTest('an UNBLOCK that was meant for another does not end a command', (client) => {
  const blocked = () =>
    String(client.sendCommand(['CLIENT', 'LIST']))
      .split('\n')
      .filter((line) => /cmd=blpop/.test(line))
      .map((line) => /id=(\d+)/.exec(line)?.[1] as string);
  const strike = (mode: string) => {
    until(() => blocked().length === 1);
    client.sendCommand(['CLIENT', 'UNBLOCK', ...blocked(), mode]);
  };
  const forEver = spawn(() => client.blPop('mine', 0));
  for (let i = 0; i < 5; i++) strike('ERROR');
  until(() => blocked().length === 1);
  client.rPush('mine', 'it');
  assert.equal(forEver.get()?.element, 'it');

  const since = performance.now();
  const limited = spawn(() => client.blPop('nobody', 0.4));
  strike('ERROR');
  assert.equal(limited.get(), null);
  assert.ok(performance.now() - since >= 400, 'it has its time');

  // Who ends it by hand has it end.
  const ended = spawn(() => client.blPop('nobody', 0));
  strike('TIMEOUT');
  assert.equal(ended.get(), null);
});

const binary = Buffer.from([0xff, 0x00, 0xfe]);
const three = ['a', binary, 'c'];
const scored = three.map((value, i) => ({ value, score: i + 0.1 }));

/** Each takes something that is there at once. */
const takers: Record<string, (client: Client) => unknown> = {
  blPop: (client) => client.blPop(['none', 'list'], 0),
  brPop: (client) => client.brPop('list', 0),
  'blmPop LEFT': (client) => client.blmPop(0, 'list', 'LEFT', { COUNT: 2 }),
  'blmPop RIGHT': (client) => client.blmPop(0, ['none', 'list'], 'RIGHT', { COUNT: 2 }),
  bzPopMin: (client) => client.bzPopMin('zset', 0),
  bzPopMax: (client) => client.BZPOPMAX('zset', 0),
  bzmPop: (client) => client.bzmPop(0, 'zset', 'MIN', { COUNT: 2 }),
  'raw BLPOP': (client) => client.sendCommand(['blpop', 'list', '0']),
  'raw BLMPOP': (client) => client.sendCommand(['BLMPOP', '0', '1', 'list', 'RIGHT']),
  'raw BZPOPMAX': (client) => client.sendCommand(['BZPOPMAX', 'zset', '0']),
  'raw BZMPOP': (client) => client.sendCommand(['BZMPOP', '0', '1', 'zset', 'MAX']),
};

for (const [name, take] of Object.entries(takers))
  redisTest(`${name}: what it had taken when it was killed is put back`, (client) => {
    const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    client.rPush('list', three);
    client.zAdd('zset', scored);
    const state = () => [bytes.lRange('list', 0, -1), bytes.zRangeWithScores('zset', 0, -1)];
    const before = state();
    const gate = wait(openGate(address()));
    const far = clientOf({}, gate);
    try {
      assert.ok(take(far), 'with a connection ready');
      client.flushAll();
      client.rPush('list', three);
      client.zAdd('zset', scored);
      gate.hold();
      const greenlet = spawn(() => take(far));
      // It has taken something, and nobody has heard of it.
      until(() => !isDeepStrictEqual(state(), before));
      greenlet.kill();
      gate.letGo();
      until(() => far.statistics().lent === 0);
      assert.deepEqual(state(), before);
    } finally {
      far.close();
      wait(gate.close());
    }
  });

redisTest('a Timeout ends the wait, and the connection serves the next', (client) => {
  for (let n = 0; n < 5; n++) {
    const limit = new Timeout(10);
    assert.throws(
      () => {
        using _started = limit.start();
        client.blPop('list', 0);
      },
      (error) => error === limit,
    );
    // Until the server has ended the command the connection is nobody's, and who comes now gets another.
    until(() => client.statistics().lent === 0);
  }
  client.rPush('list', 'x');
  assert.equal(client.blPop('list', 0)?.element, 'x');
  assert.equal(client.statistics().size, 1);
});

redisTest('reads of streams block apart from others only when told to', (client) => {
  client.xGroupCreate('stream', 'group', '$', { MKSTREAM: true });
  const reading = spawn(() =>
    client.xReadGroup('group', 'me', { key: 'stream', id: '>' }, { BLOCK: 0, COUNT: 1 }),
  );
  until(() => client.statistics().lent === 1);
  const id = client.xAdd('stream', '*', { field: 'value' });
  const [stream] = reading.get() as { messages: { id: string; message: object }[] }[];
  assert.equal(stream?.messages[0]?.id, id);
  assert.equal(client.xAck('stream', 'group', id), 1);
  assert.equal(client.xRead({ key: 'stream', id: '$' }), null);
  assert.equal(client.statistics().lent, 0);
});

redisTest('a moved element is in its destination, whoever was killed', (client) => {
  const greenlet = spawn(() => client.blMove('from', 'to', 'LEFT', 'RIGHT', 0));
  until(() => client.statistics().lent === 1);
  client.rPush('from', 'x');
  greenlet.kill();
  until(() => client.statistics().lent === 0);
  assert.deepEqual([...client.lRange('from', 0, -1), ...client.lRange('to', 0, -1)], ['x']);
});

redisTest('WAIT is about the writes of all connections, and stops nobody', (client) => {
  const { host, port } = address();
  const replication = ['--replicaof', host, String(port), '--masterauth', 'tendril'];
  client.configSet('repl-diskless-sync-delay', '0');
  const replica = wait(startService('redis', replication));
  try {
    until(() => client.info('replication').includes('state=online'));
    client.set('key', 'value');
    assert.equal(client.wait(1, 2000), 1);
    replica.pause();
    client.set('key', 'other');
    const waiting = spawn(() => client.wait(1, 1000));
    until(() => client.statistics().lent === 1);
    assert.equal(client.echo('meanwhile'), 'meanwhile');
    assert.equal(waiting.get(), 0, 'the last write has not arrived');
  } finally {
    replica.resume();
    wait(replica.stop());
  }
});
