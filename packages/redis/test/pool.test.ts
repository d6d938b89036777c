import assert from 'node:assert/strict';
import { sleep, spawn, Timeout } from '@tendril/core';
import { createClientPool } from '@tendril/redis';
import { RESP_TYPES } from 'redis';
import { failure } from './asker.js';
import { address, redisTest, until, useServer } from './helpers.js';

useServer();
const open = (options: object = {}) =>
  createClientPool({ socket: address(), password: 'tendril' }, options);

redisTest('every command has a connection; slow ones stop nobody', () => {
  const pool = open({ maximum: 3 });
  assert.throws(() => pool.get('x'), /closed/);
  pool.connect();
  assert.deepEqual([pool.isOpen, pool.totalClients, pool.idleClients], [true, 1, 1]);
  const waiting = [1, 2].map(() => spawn(() => pool.blPop('list', 0)));
  until(() => pool.clientsInUse === 2);
  assert.equal(pool.set('key', 'value'), 'OK');
  const third = spawn(() => pool.blPop('list', 0));
  until(() => pool.clientsInUse === 3);
  const late = spawn(() => pool.get('key'));
  until(() => pool.tasksQueueLength === 1);
  third.kill();
  assert.equal(late.get(), 'value');
  pool.multi().rPush('list', 'a').rPush('list', 'b').exec();
  assert.deepEqual(waiting.map((each) => each.get()?.element).sort(), ['a', 'b']);
  pool.close();
  assert.throws(() => pool.get('key'), /closed/);
  pool.connect();
  assert.equal(pool.get('key'), 'value');
  pool.destroy();
});

redisTest('none that comes free in time is an error of its own', () => {
  const pool = open({ minimum: 0, maximum: 1, acquireTimeout: 50 }).connect();
  // Connecting may take longer, but goes on for the next who asks.
  until(() => !failure(() => pool.get('key')));
  const holder = spawn(() => pool.blPop('list', 0));
  until(() => pool.idleClients === 0);
  assert.throws(() => pool.get('key'), { code: 'ERR_ACQUIRE_TIMEOUT' });
  assert.equal(pool.tasksQueueLength, 0);
  holder.kill();
  until(() => pool.idleClients === 1);
  assert.equal(pool.get('key'), null);
  pool.close();
});

redisTest('execute() lends one; what it leaves watched or selected is not lent again', () => {
  const pool = open({ maximum: 1 }).connect();
  pool.execute((session) => {
    session.watch('key');
    session.set('mine', '1');
    assert.equal(session.get('mine'), '1');
  });
  assert.equal(pool.transaction('key', (s) => s.multi().incr('key'))?.[0], 1);
  const bytes = pool.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  assert.deepEqual(bytes.get('key'), Buffer.from('1'));
  pool.close();
});

redisTest('a session goes on after a Timeout in it', () => {
  const pool = open({ maximum: 1 }).connect();
  for (let n = 0; n < 10; n++)
    pool.execute((session) => {
      const limit = Timeout.startNew(3 + n);
      assert.throws(
        () => session.blPop('none', 0),
        (error) => error === limit,
      );
      limit.close();
      assert.equal(session.echo(`${n}`), `${n}`);
    });
  sleep(0);
  assert.equal(pool.echo('x'), 'x');
  pool.close();
});

redisTest('bad options are errors with a code', () => {
  const code = 'ERR_INVALID_ARG';
  assert.throws(() => open({ maximum: 0, minimum: 0 }), { code });
  assert.throws(() => open({ maximum: 1, minimum: 2 }), { code });
  assert.throws(() => open({ acquireTimeout: -1 }), { code });
});
