import assert from 'node:assert/strict';
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { test } from 'node:test';
import { Event, getCurrent, getHub, run, sleep, spawn, Timeout } from '@tendril/core';
import { Coroutine } from '@tendril/core/coroutine';
import { FiberError } from '@tendril/fiber';
import { inGreenlet, leaveNothing, twoTurns } from './helpers.js';
import { until } from './io-helpers.js';

leaveNothing();

test('passes values in and out, outside greenlets and in them', async () => {
  const exchange = () => {
    const coroutine = new Coroutine((first) => [first, Coroutine.suspend('out'), getCurrent()]);
    assert.equal(coroutine.state, 'created');
    assert.equal(coroutine.resume(1), 'out');
    assert.equal(coroutine.state, 'suspended');
    const { greenlet } = coroutine;
    assert.deepEqual(coroutine.resume(2), [1, 2, greenlet]);
    assert.equal(coroutine.state, 'done');
  };
  exchange();
  await run(exchange);
});

test('a promise is a value like others', async () => {
  const promise = Promise.resolve(1);
  assert.equal(new Coroutine(() => promise).resume(), promise);
});

test('refuses to be resumed while it runs or blocks, and after its end', () => {
  const gate = new Event();
  const self: Coroutine = new Coroutine(() => {
    assert.equal(Coroutine.current, self);
    assert.throws(() => self.resume(), { code: 'ERR_FIBER_RUNNING' });
    gate.wait();
  });
  self.resume();
  assert.equal(self.state, 'running');
  assert.throws(() => self.resume(), { code: 'ERR_FIBER_RUNNING' });
  gate.set();
  return run(() => {
    sleep(0);
    assert.equal(self.state, 'done');
    assert.throws(() => self.resume(), { code: 'ERR_FIBER_DONE' });
    assert.throws(() => self.throw(new Error('x')), { code: 'ERR_FIBER_DONE' });
  });
});

test('suspend() outside coroutines is an error, in greenlets, too', () => {
  const suspend = () =>
    assert.throws(
      () => Coroutine.suspend(),
      (error) => error instanceof FiberError && error.code === 'ERR_NOT_IN_FIBER',
    );
  suspend();
  return run(suspend);
});

test('throw() throws at suspend(), or ends what has not started', () => {
  const error = new Error('thrown');
  const thrown = (other: unknown) => other === error;
  const unstarted = new Coroutine(() => assert.fail('started'));
  assert.throws(() => unstarted.throw(error), thrown);
  assert.equal(unstarted.state, 'done');
  const coroutine = new Coroutine(() => {
    assert.throws(() => Coroutine.suspend(), thrown);
    throw error;
  });
  coroutine.resume();
  assert.throws(() => coroutine.throw(error), thrown);
  assert.equal(coroutine.state, 'done');
});

test(
  'a blocking call goes back to resume(); the hub continues it',
  inGreenlet((clock) => {
    const log: string[] = [];
    const coroutine = new Coroutine(() => {
      sleep(10);
      log.push('slept');
      Coroutine.suspend('nobody gets this');
      sleep(10);
      log.push('end');
    });
    assert.equal(coroutine.resume(), undefined);
    assert.equal(coroutine.state, 'running');
    sleep(15);
    assert.deepEqual(log, ['slept']);
    assert.equal(coroutine.state, 'suspended');
    coroutine.resume();
    sleep(15);
    assert.deepEqual(log, ['slept', 'end']);
    assert.equal(clock.now() >= 30, true);
  }),
);

test('the stack of one that blocks is known to its greenlet', () =>
  run(() => {
    const gate = new Event();
    const coroutine = new Coroutine(function waitAtTheGate() {
      gate.wait();
    });
    coroutine.resume();
    assert.match(coroutine.greenlet?.stack() ?? '', /waitAtTheGate/);
    gate.set();
    sleep(0);
  }));

test('one on top of the other: each goes back to who resumed it', () => {
  const log: unknown[] = [];
  const inner = new Coroutine(() => {
    Coroutine.suspend('inner');
    log.push('inner ends');
  });
  const outer = new Coroutine(() => {
    log.push(inner.resume());
    Coroutine.suspend('outer');
  });
  log.push(outer.resume());
  inner.resume();
  outer.resume();
  assert.deepEqual(log, ['inner', 'outer', 'inner ends']);
});

test('is killed when it is resumed, if the kill came while it was suspended', () =>
  run(() => {
    const coroutine = new Coroutine(() => Coroutine.suspend());
    coroutine.resume();
    const error = new Error('killed');
    coroutine.greenlet?.kill({ error, block: false });
    assert.throws(
      () => coroutine.resume(),
      (thrown) => thrown === error,
    );
  }));

test(
  'timeouts of its own end its blocking calls',
  inGreenlet(() => {
    let caught: unknown;
    const coroutine = new Coroutine(() => {
      const limit = Timeout.startNew(5);
      try {
        sleep(10);
      } catch (error) {
        caught = error === limit;
      }
    });
    coroutine.resume();
    sleep(20);
    assert.equal(caught, true);
  }),
);

test('a late error goes to onLateError, or is reported', async () => {
  const errors: unknown[] = [];
  class Listening extends Coroutine {
    override onLateError(error: unknown): void {
      errors.push(error);
    }
  }
  const hub = getHub();
  const { onError } = hub;
  hub.onError = (error) => errors.push(error);
  const fail = (error: string) => () => {
    sleep(0);
    throw error;
  };
  await run(() => {
    new Listening(fail('heard')).resume();
    new Coroutine(fail('reported')).resume();
    until(() => errors.length >= 2);
    twoTurns();
  });
  hub.onError = onError;
  assert.deepEqual(errors, ['heard', 'reported']);
});

test('has an async context of its own, in scopes and out of them', async () => {
  const storage = new AsyncLocalStorage<string>();
  const resource = storage.run('of the resource', () => new AsyncResource('Test'));
  const seen: unknown[] = [];
  const look = () => seen.push(storage.getStore());
  const body = () => {
    const coroutine = new Coroutine(() => {
      look();
      resource.runInAsyncScope(() => {
        look();
        Coroutine.suspend();
        look();
        sleep(0);
        look();
      });
      look();
    });
    storage.run('first', () => {
      coroutine.resume();
      look();
    });
    storage.run('second', () => {
      coroutine.resume();
      look();
    });
    return coroutine;
  };
  const inner = ['first', 'of the resource', 'first', 'of the resource', 'second'];
  const late = ['of the resource', 'first'];
  for (const start of [body, () => storage.run('of a greenlet', body)]) {
    seen.length = 0;
    const coroutine = await run(start);
    await run(() => {
      while (coroutine.state !== 'done') sleep(0);
    });
    assert.deepEqual(seen, [...inner, ...late]);
  }
  const greenlet = spawn(() => storage.run('spawned', () => resource.runInAsyncScope(body)));
  const coroutine = await greenlet.toPromise();
  while (coroutine.state !== 'done') await new Promise((resolve) => setImmediate(resolve));
});
