import assert from 'node:assert/strict';
import { openGate } from '@tendril/adapter-suite';
import { sleep, spawn, wait } from '@tendril/core';
import { address, clientOf, redisTest, until, useServer } from './helpers.js';

useServer();

const channels = (client: ReturnType<typeof clientOf>) => client.pubSubChannels();

redisTest('subscribe iterates messages with their channels, in order', (client) => {
  using news = client.subscribe(['news', 'sport']);
  for (let n = 0; n < 100; n++) client.publish(n % 2 ? 'news' : 'sport', `m${n}`);
  let count = 0;
  for (const { message, channel } of news) {
    assert.equal(message, `m${count}`);
    assert.equal(channel, count % 2 ? 'news' : 'sport');
    if (++count === 100) break;
  }
  assert.ok(news.closed, 'leaving the loop has closed it');
  until(() => channels(client).length === 0);
  assert.equal(news.receive(), undefined);
});

redisTest('patterns, shards, Buffers; receive() with a limit', (client) => {
  using pattern = client.pSubscribe('user:*');
  using shard = client.sSubscribe('shard');
  using bytes = client.subscribe('bytes', { bufferMode: true });
  client.publish('user:7', 'in');
  client.sPublish('shard', 'on');
  client.publish('bytes', Buffer.from([0xff]));
  assert.deepEqual(pattern.receive(), { message: 'in', channel: 'user:7' });
  assert.deepEqual(shard.receive(), { message: 'on', channel: 'shard' });
  assert.deepEqual(bytes.receive()?.message, Buffer.from([0xff]));
  assert.equal(pattern.receive({ timeout: 5 }), undefined);
  assert.equal(pattern.closed, false);
});

redisTest('all subscriptions share one connection, which goes with the last', (client) => {
  const sessions = () => client.clientList().length;
  const before = sessions();
  const many = Array.from({ length: 20 }, (_, i) => client.subscribe(`c${i % 5}`));
  assert.equal(sessions(), before + 1);
  client.publish('c0', 'x');
  assert.equal(many[0]?.receive()?.message, 'x');
  assert.equal(many[5]?.receive()?.message, 'x');
  for (const each of many) each.close();
  until(() => sessions() === before);
  using again = client.subscribe('c0');
  client.publish('c0', 'y');
  assert.equal(again.receive()?.message, 'y');
});

redisTest('a killed reader leaves nothing behind, wherever it is', (client) => {
  for (let n = 0; n < 20; n++) {
    const reader = spawn(() => {
      for (const _ of client.subscribe('channel')) sleep(1000);
    });
    if (n % 2) client.publish('channel', 'x');
    sleep(n % 4);
    reader.kill();
  }
  until(() => channels(client).length === 0);
});

redisTest('one that reads too slowly ends with an error, after what was kept', (client) => {
  using slow = client.subscribe('channel', { maxMessages: 10 });
  using fast = client.subscribe('channel');
  for (let n = 0; n < 15; n++) client.publish('channel', `m${n}`);
  until(() => slow.closed);
  for (let n = 0; n < 10; n++) assert.equal(slow.receive()?.message, `m${n}`);
  assert.throws(() => slow.receive(), { code: 'ERR_REDIS_SUBSCRIPTION_OVERFLOW' });
  for (let n = 0; n < 15; n++) assert.equal(fast.receive()?.message, `m${n}`);
});

redisTest('after a break the subscription goes on; close() ends it', (client) => {
  const gate = wait(openGate(address()));
  const far = clientOf({}, gate);
  const subscription = far.subscribe('channel');
  gate.cut();
  until(() => channels(client).length === 0);
  until(() => channels(client).length === 1);
  client.publish('channel', 'after');
  assert.equal(subscription.receive()?.message, 'after');
  const reader = spawn(() => [...subscription]);
  sleep(0); // it waits now
  far.close();
  assert.deepEqual(reader.get(), []);
  assert.throws(() => far.subscribe('channel'), /closed/);
  wait(gate.close());
});

redisTest('bad arguments are errors with a code', (client) => {
  const code = 'ERR_INVALID_ARG';
  assert.throws(() => client.subscribe([]), { code });
  assert.throws(() => client.subscribe(7 as never), { code });
  assert.throws(() => client.subscribe('x', { maxMessages: 0 }), { code });
});
