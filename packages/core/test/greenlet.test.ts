import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  Event,
  Greenlet,
  GreenletExit,
  getCurrent,
  getHub,
  isExit,
  iwait,
  joinall,
  killall,
  park,
  rethrowExit,
  run,
  sleep,
  spawn,
  spawnLater,
  Timeout,
} from '@tendril/core';
import { inGreenlet, leaveNothing, twoTurns } from './helpers.js';
import { until } from './io-helpers.js';

leaveNothing();

describe('spawn', () => {
  test(
    'starts greenlets on the next turn, in spawn order',
    inGreenlet(() => {
      const log: string[] = [];
      const all = [1, 2, 3].map((n) =>
        spawn(() => {
          log.push(`${n}A`);
          sleep(0);
          log.push(`${n}B`);
        }),
      );
      log.push('spawned');
      joinall(all);
      assert.equal(log.join(' '), 'spawned 1A 2A 3A 1B 2B 3B');
    }),
  );

  test(
    'passes arguments and gives the value',
    inGreenlet(() => {
      assert.equal(spawn((a: number, b: number) => a + b, 2, 3).get(), 5);
    }),
  );

  test(
    'takes async functions, and follows their promise',
    inGreenlet(() => {
      const error = new Error('async');
      assert.equal(spawn(async () => 'v').get(), 'v');
      assert.throws(
        () => spawn(() => Promise.reject(error)).get(),
        (e) => e === error,
      );
      const stuck = spawn(() => new Promise(() => {}));
      sleep(0);
      stuck.kill();
      assert.ok(isExit(stuck.value));
    }),
  );

  test(
    'after an await a blocking call throws, and the message names wait()',
    inGreenlet(() => {
      const greenlet = spawn(async () => {
        await null;
        sleep(1);
      });
      assert.throws(() => greenlet.get(), { code: 'ERR_NOT_IN_GREENLET', message: /wait\(/ });
    }),
  );

  test(
    'later starts after its time, unless killed before',
    inGreenlet((clock) => {
      const log: string[] = [];
      spawnLater(50, () => log.push(`ran at ${clock.now()}`));
      const killed = spawnLater(50, () => log.push('never'));
      sleep(10);
      killed.kill();
      sleep(100);
      assert.deepEqual(log, ['ran at 50']);
      assert.ok(killed.successful());
    }),
  );

  test(
    'runs ten thousand at a time',
    inGreenlet(() => {
      let sum = 0;
      joinall(
        Array.from({ length: 10_000 }, (_, i) =>
          spawn(() => {
            sleep(1 + (i % 3));
            sum += i;
          }),
        ),
      );
      assert.equal(sum, 49_995_000);
    }),
  );
});

test('greenlets that only give way do not starve the event loop', async () => {
  await run(() => {
    let fired = false;
    setTimeout(() => {
      fired = true;
    }, 1);
    const others = [1, 2].map(() =>
      spawn(() => {
        while (!fired) sleep(0);
      }),
    );
    joinall(others);
    assert.ok(fired);
  });
});

describe('kill', () => {
  test(
    'throws GreenletExit at the park point and runs finally blocks',
    inGreenlet(() => {
      const log: string[] = [];
      const greenlet = spawn(() => {
        try {
          sleep(1000);
        } catch (error) {
          log.push(String(isExit(error)));
          rethrowExit(error);
        } finally {
          log.push('finally');
        }
      });
      sleep(0);
      greenlet.kill();
      assert.deepEqual(log, ['true', 'finally']);
      assert.ok(greenlet.dead && greenlet.successful());
      assert.ok(greenlet.value instanceof GreenletExit);
      assert.equal(greenlet.exception, undefined);
      greenlet.kill();
    }),
  );

  test(
    'before the start means that it never runs, and links are told',
    inGreenlet(() => {
      const log: string[] = [];
      const greenlet = spawn(() => log.push('ran'));
      greenlet.link(() => log.push('linked'));
      greenlet.kill();
      sleep(0);
      sleep(0);
      assert.deepEqual(log, ['linked']);
    }),
  );

  test(
    'aborts the operation exactly once, and never after success',
    inGreenlet(() => {
      const log: string[] = [];
      const start = (name: string) => {
        let resume: (value: string) => void = () => {};
        const greenlet = spawn(() =>
          park<string>((done) => {
            resume = done;
            return () => log.push(`abort ${name}`);
          }),
        );
        sleep(0);
        return { greenlet, resume: (value: string) => resume(value) };
      };
      const killed = start('a');
      killed.greenlet.kill();
      killed.greenlet.kill();
      killed.resume('late');
      const finished = start('b');
      finished.resume('value');
      finished.resume('again');
      finished.greenlet.kill();
      assert.deepEqual(log, ['abort a']);
      assert.equal(finished.greenlet.value, 'value');
    }),
  );

  test(
    'with an error of one’s own fails the greenlet with it',
    inGreenlet(() => {
      const error = new Error('own');
      const greenlet = spawn(() => sleep(1000));
      sleep(0);
      greenlet.kill({ error });
      assert.equal(greenlet.exception, error);
      assert.throws(
        () => greenlet.get(),
        (e) => e === error,
      );
    }),
  );

  test(
    'of one that catches it and returns leaves that value',
    inGreenlet(() => {
      const greenlet = spawn(() => {
        try {
          sleep(1000);
        } catch {
          return 'survived';
        }
        return 'slept';
      });
      sleep(0);
      greenlet.kill();
      assert.equal(greenlet.get(), 'survived');
    }),
  );

  test(
    'gives up the wait, not the kill, after its timeout',
    inGreenlet((clock) => {
      const greenlet = spawn(() => {
        try {
          sleep(10_000);
        } finally {
          sleep(500);
        }
      });
      sleep(0);
      greenlet.kill({ timeout: 100 });
      assert.equal(clock.now(), 100);
      assert.ok(!greenlet.dead);
      greenlet.join();
      assert.equal(clock.now(), 500);
    }),
  );

  test(
    'of oneself throws at once',
    inGreenlet(() => {
      const greenlet = spawn(() => {
        getCurrent()?.kill();
        return 'not reached' as unknown;
      });
      assert.ok(greenlet.get() instanceof GreenletExit);
    }),
  );

  test('works from outside greenlets, without waiting', async () => {
    const greenlet = spawn(() => park(() => {}));
    await new Promise((resolve) => setImmediate(resolve));
    greenlet.kill();
    assert.ok(isExit(await greenlet.toPromise()));
  });

  test(
    'killall kills all, then waits for all',
    inGreenlet(() => {
      const all = [1, 2, 3].map(() => spawn(() => sleep(1000)));
      sleep(0);
      killall(all);
      assert.ok(all.every((greenlet) => greenlet.dead));
    }),
  );
});

describe('waiting for greenlets', () => {
  test(
    'get rethrows the very error, and Timeout when the time is up',
    inGreenlet(() => {
      const error = new TypeError('mine');
      assert.throws(
        () =>
          spawn(() => {
            throw error;
          }).get(),
        (e) => e === error,
      );
      const slow = spawn(() => sleep(1000));
      assert.throws(() => slow.get({ timeout: 10 }), Timeout);
      assert.throws(() => slow.get({ block: false }), Timeout);
      slow.join({ timeout: 10 });
      assert.ok(!slow.ready());
      slow.kill();
    }),
  );

  test(
    'joinall returns the finished in order of completion',
    inGreenlet(() => {
      const all = [30, 10, 20].map((ms) =>
        spawn(() => {
          sleep(ms);
          return ms;
        }),
      );
      assert.equal(
        joinall(all, { count: 2 })
          .map((g) => g.get())
          .join(),
        '10,20',
      );
      assert.equal(joinall(all, { timeout: 5 }).length, 2);
      assert.equal(joinall(all).length, 3);
    }),
  );

  test(
    'joinall with raiseError throws the earliest failure',
    inGreenlet(() => {
      const fail = (ms: number, text: string) =>
        spawn(() => {
          sleep(ms);
          throw new Error(text);
        });
      const all = [fail(20, 'late'), fail(10, 'early'), spawn(() => sleep(15))];
      assert.throws(() => joinall(all, { raiseError: true }), /early/);
      assert.throws(() => all[0]?.get(), /late/);
    }),
  );

  test(
    'iwait yields in order of readiness, and takes events too',
    inGreenlet(() => {
      const event = new Event();
      const slow = spawn(() => sleep(50));
      spawnLater(10, () => event.set());
      const order = [...iwait([slow, event])];
      assert.deepEqual(order, [event, slow]);
      const late = spawn(() => sleep(100));
      assert.deepEqual([...iwait([late], { timeout: 10 })], []);
      late.kill();
    }),
  );

  test(
    'links are called on a later turn, also when added after the end',
    inGreenlet(() => {
      const log: string[] = [];
      const greenlet = spawn(() => 'v');
      const unlinked = () => log.push('unlinked');
      greenlet.link(unlinked);
      greenlet.unlink(unlinked);
      greenlet.linkValue((g) => log.push(`value ${g.value}`));
      greenlet.linkException(() => log.push('exception'));
      greenlet.join();
      log.push('joined');
      greenlet.link((g) => log.push(`late ${g === greenlet}`));
      log.push('after link');
      sleep(0);
      assert.deepEqual(
        log,
        ['value v', 'joined', 'after link', 'late true'].sort(
          (a, b) => log.indexOf(a) - log.indexOf(b),
        ),
      );
      assert.ok(log.indexOf('after link') < log.indexOf('late true'));
    }),
  );

  test(
    'a link that throws is reported and stops nobody',
    inGreenlet(() => {
      const hub = getHub();
      const { onError } = hub;
      const reported: unknown[] = [];
      hub.onError = (error) => reported.push(error);
      const log: string[] = [];
      const greenlet = spawn(() => 0);
      greenlet.link(() => {
        throw new Error('in a link');
      });
      greenlet.link(() => log.push('second'));
      sleep(0);
      sleep(0);
      hub.onError = onError;
      assert.equal(String(reported), 'Error: in a link');
      assert.deepEqual(log, ['second']);
    }),
  );
});

describe('a greenlet', () => {
  test(
    'says where it is parked',
    inGreenlet(() => {
      function innermost() {
        sleep(1000);
      }
      const greenlet = spawn(function outermost() {
        innermost();
      });
      sleep(0);
      assert.match(greenlet.stack(), /sleep[\s\S]*innermost[\s\S]*outermost/);
      greenlet.kill();
      assert.equal(greenlet.stack(), '');
    }),
  );

  test(
    'knows its name, its spawner and its own values',
    inGreenlet(() => {
      const child = spawn(() => getCurrent()?.spawningGreenlet);
      assert.equal(child.get(), getCurrent());
      assert.match(child.name, /^Greenlet-\d+$/);
      child.name = 'renamed';
      assert.equal(child.name, 'renamed');
      assert.notEqual(child.locals, getCurrent()?.locals);
    }),
  );

  test(
    'works with AbortSignal in both directions',
    inGreenlet(() => {
      const controller = new AbortController();
      const greenlet = spawn(() => sleep(1000));
      const { signal } = greenlet;
      greenlet.killOn(controller.signal);
      sleep(0);
      controller.abort('reason');
      greenlet.join();
      assert.ok(signal.aborted);
      const exit = greenlet.value as unknown as GreenletExit;
      assert.equal(exit.cause, 'reason');
      const late = spawn(() => sleep(1));
      late.killOn(controller.signal);
      assert.ok(late.dead);
    }),
  );

  test(
    'has a signal that is aborted, whenever it is asked for',
    inGreenlet(() => {
      const reason = new Error('the first kill');
      const later = new Error('the second');
      const asks = (greenlet: Greenlet) => {
        const { signal } = greenlet;
        assert.equal(signal.aborted, true);
        assert.equal(signal.reason, reason);
        assert.equal(greenlet.signal, signal);
      };
      const inCleanUp = spawn(() => {
        try {
          sleep(1000);
        } catch {
          asks(getCurrent() as Greenlet);
        }
        sleep(1);
      });
      sleep(0);
      inCleanUp.kill({ error: reason, block: false });
      sleep(0);
      inCleanUp.kill({ error: later });
      asks(inCleanUp as Greenlet);
      assert.equal(inCleanUp.exception, later);
      const unstarted = spawn(() => {});
      unstarted.kill({ error: reason, block: false });
      asks(unstarted as Greenlet);
      assert.equal(unstarted.exception, reason);
      const controller = new AbortController();
      const byAbort = spawn(() => {
        controller.abort(reason);
        return getCurrent()?.signal;
      });
      byAbort.killOn(controller.signal);
      assert.equal((byAbort.get() as AbortSignal).reason.cause, reason);
      const unhurt = spawn(() => getCurrent()?.signal);
      assert.equal(unhurt.get()?.aborted, false);
    }),
  );

  test('whose error nobody collects is reported once, with name and spawn site', async () => {
    const hub = getHub();
    const { onError } = hub;
    const reports: string[] = [];
    hub.onError = (error, source) => reports.push(`${source}: ${error}`);
    await run(() => {
      spawn(() => {
        throw new Error('lost');
      }).name = 'loser';
      const seen = spawn(() => {
        throw new Error('seen');
      });
      assert.throws(() => seen.get());
      new Greenlet(() => 0).kill();
      until(() => reports.length > 0);
      twoTurns();
    });
    hub.onError = onError;
    assert.equal(reports.length, 1);
    assert.match(
      reports[0] as string,
      /^greenlet loser, spawned at .*greenlet\.test\.js:\d+:\d+.*: Error: lost$/,
    );
  });
});
