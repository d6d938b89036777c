import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import {
  Event,
  GreenletExit,
  InvalidArgumentError,
  NotInGreenletError,
  run,
  sleep,
  spawn,
  Timeout,
  wait,
  withTimeout,
} from '@tendril/core';
import { checkLeaks, VirtualClock } from '@tendril/core/testing';
import imported, { type Deasync } from '@tendril/deasync';
import usage from './usage.cjs';

const require = createRequire(import.meta.url);
const deasync = require('@tendril/deasync') as Deasync;

after(() => checkLeaks());

type Callback = (error: unknown, value?: unknown) => void;

const program = (name: string) =>
  fileURLToPath(new URL(`../test/programs/${name}`, import.meta.url));

describe('deasync(fn)', () => {
  test('gives the result or throws the error, with `this` and all arguments', () =>
    run(() => {
      const object = {
        base: 1,
        add: deasync(function (this: { base: number }, a: number, b: number, callback: Callback) {
          setImmediate(callback, null, this.base + a + b);
        }),
      };
      assert.equal(object.add(2, 3), 6);
      const error = new Error('mine');
      assert.throws(
        () => deasync((callback: Callback) => setImmediate(callback, error))(),
        (thrown) => thrown === error,
      );
      assert.throws(
        () => deasync((callback: Callback) => setImmediate(callback, 'text'))(),
        (thrown) => thrown === 'text',
      );
    }));

  test('takes callbacks that come at once, and ignores later ones', () =>
    run(() => {
      const eager = deasync((callback: Callback) => {
        callback(null, 'first');
        callback(new Error('second'));
      });
      assert.equal(eager(), 'first');
      const failing = deasync(() => {
        throw new Error('at once');
      });
      assert.throws(() => failing(), { message: 'at once' });
    }));

  test('runs a program and waits for its output', () =>
    run(() => {
      assert.equal(deasync(execFile)(process.execPath, ['-p', '6 * 7']), '42\n');
    }));

  test('others run meanwhile', () =>
    run(() => {
      const gate = new Event();
      spawn(() => gate.set());
      const value = deasync((callback: Callback) => gate.link(() => callback(null, 'opened')))();
      assert.equal(value, 'opened');
    }));

  test('kill and Timeout end the wait; a callback that comes later is ignored', () =>
    run(() => {
      let late: Callback | undefined;
      const never = deasync((callback: Callback) => {
        late = callback;
      });
      const greenlet = spawn(never);
      sleep(0);
      greenlet.kill();
      assert.ok(greenlet.value instanceof GreenletExit);
      late?.(new Error('late'));
      assert.throws(() => withTimeout(1, never), Timeout);
      late?.(null, 'late');
    }));

  test('outside a greenlet says how to start, and has started nothing', () => {
    let started = false;
    const wrapped = deasync(() => {
      started = true;
    });
    for (const call of [wrapped, () => deasync.sleep(1), deasync.runLoopOnce])
      assert.throws(call, (error) => {
        assert.ok(error instanceof NotInGreenletError);
        assert.equal(error.code, 'ERR_NOT_IN_GREENLET');
        assert.match(
          error.message,
          /deasync.*run\(fn\).*--import @tendril\/core\/monkey\/register/,
        );
        assert.match(`${error.stack}`, /monkey\/register/);
        return true;
      });
    assert.equal(started, false);
    assert.throws(() => deasync.loopWhile(() => true), { code: 'ERR_NOT_IN_GREENLET' });
  });

  test('refuses what is no function', () => {
    assert.throws(() => deasync({} as never), InvalidArgumentError);
    assert.throws(() => deasync.loopWhile(true as never), { code: 'ERR_INVALID_ARG' });
  });
});

describe('loopWhile()', () => {
  test('waits for callbacks, ticks, promises and greenlets', () =>
    run(() => {
      const starters: ((done: () => void) => void)[] = [
        (done) => setTimeout(done, 1),
        (done) => process.nextTick(done),
        (done) => setImmediate(done),
        (done) => Promise.resolve().then(done),
        (done) => spawn(done),
      ];
      for (const start of starters) {
        let done = false;
        start(() => {
          done = true;
        });
        deasync.loopWhile(() => !done);
      }
      deasync.loopWhile(() => false);
    }));

  test('asks ever less often, and not less than every 10 ms', async () => {
    using clock = VirtualClock.install();
    await run(() => {
      const started = clock.now();
      let asked = 0;
      deasync.loopWhile(() => {
        asked++;
        return clock.now() - started < 10_000;
      });
      assert.ok(asked > 1000 && asked < 1300, `asked ${asked} times in 10 s`);
    });
  });

  test('passes errors of the predicate on, and is ended by kill and Timeout', () =>
    run(() => {
      const wrong = () => {
        throw new Error('wrong');
      };
      assert.throws(() => deasync.loopWhile(wrong), { message: 'wrong' });
      const greenlet = spawn(() => deasync.loopWhile(() => true));
      sleep(0);
      greenlet.kill();
      assert.ok(greenlet.successful());
      assert.throws(() => withTimeout(5, () => deasync.loopWhile(() => true)), Timeout);
    }));
});

describe('runLoopOnce() and sleep()', () => {
  test('one turn: what is ready runs', () =>
    run(() => {
      const log: string[] = [];
      setImmediate(() => log.push('immediate'));
      process.nextTick(() => log.push('tick'));
      spawn(() => log.push('greenlet'));
      deasync.runLoopOnce();
      assert.deepEqual(new Set(log), new Set(['immediate', 'tick', 'greenlet']));
    }));

  test('a loop of turns does not burn the processor', async () => {
    using clock = VirtualClock.install();
    await run(() => {
      const started = clock.now();
      let turns = 0;
      while (clock.now() - started < 1000) {
        deasync.runLoopOnce();
        turns++;
      }
      assert.ok(turns < 3000, `${turns} turns in 1 s`);
    });
  });

  test('sleep(ms)', async () => {
    using clock = VirtualClock.install();
    await run(() => {
      const started = clock.now();
      deasync.sleep(2000);
      assert.equal(clock.now() - started, 2000);
      deasync.sleep();
      deasync.sleep(-1);
      deasync.sleep('5' as never);
      assert.equal(clock.now() - started, 2005);
    });
  });
});

describe('the package', () => {
  test('is the function itself for require() and the default for import', () => {
    assert.equal(imported, deasync);
    assert.equal(require('@tendril/deasync/index.js'), deasync);
    assert.equal(deasync.name, 'deasync');
  });

  test('is typed as @types/deasync has it', () => run(() => assert.equal(usage.use(), 42)));

  test('needs no change in a program that starts by the register module', () => {
    const args = ['--import', '@tendril/core/monkey/register', program('main.cjs')];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    assert.equal(stdout, '42\nslept\n', stderr);
  });

  test('works in a worker', () =>
    run(() => {
      const worker = new Worker(program('worker.cjs'));
      assert.equal(
        wait(new Promise((resolve) => worker.once('message', resolve))),
        'slept in a worker',
      );
      wait(worker.terminate());
    }));
});
