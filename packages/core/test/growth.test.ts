/** What lives for ever holds nothing of what came and went. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  Event,
  type Greenlet,
  getCurrent,
  iwait,
  joinall,
  Local,
  run,
  sleep,
  spawn,
  spawnLater,
  Timeout,
  wait,
} from '@tendril/core';
import { Coroutine } from '@tendril/core/coroutine';
import { leaveNothing } from './helpers.js';

leaveNothing();

const gc = globalThis.gc as () => void;

/** Full collections until `refs` are all gone; how many are left when that does not come to pass. */
function survivors(refs: WeakRef<object>[]): number {
  let left = refs.length;
  for (let round = 0; round < 20 && left > 0; round++) {
    sleep(1); // a new turn: what a WeakRef gave away in this one is kept until its end
    gc();
    left = refs.filter((ref) => ref.deref() !== undefined).length;
  }
  return left;
}

/** Each in a frame of its own, so that no register of the test's frame holds what it made. */
function times<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

describe('Local', () => {
  for (const [title, around] of [
    ['in a greenlet that goes on', (fill: () => WeakRef<object>[]) => fill()],
    [
      'outside greenlets',
      (fill: () => WeakRef<object>[]) => wait(Promise.resolve().then(() => fill())),
    ],
  ] as const) {
    test(`${title} a value goes with its Local`, () =>
      run(() => {
        const refs = around(() =>
          times(50, () => {
            const value = {};
            new Local<object>().set(value);
            return new WeakRef(value);
          }),
        );
        assert.equal(survivors(refs), 0);
      }));

    test(`${title} a value that leads to its Local goes, too`, () =>
      run(() => {
        const refs = around(() =>
          times(50, () => {
            const scope = { local: new Local<object>() };
            scope.local.set(scope);
            return new WeakRef(scope);
          }),
        );
        assert.equal(survivors(refs), 0);
      }));
  }

  test('a value stays as long as both are there, and undefined is a value', () =>
    run(() => {
      const local = new Local<object | undefined>({});
      const value = {};
      local.set(value);
      gc();
      assert.equal(local.get(), value);
      local.set(undefined);
      assert.equal(local.get(), undefined);
    }));

  test('greenlet.locals takes Locals, objects and names', () =>
    run(() => {
      const { locals } = getCurrent() as Greenlet;
      const local = new Local<number>();
      local.set(1);
      const key = {};
      locals.set(key, 2).set('name', 3);
      assert.deepEqual([locals.get(local), locals.get(key), locals.get('name')], [1, 2, 3]);
      assert.equal(getCurrent()?.locals, locals);
      assert.equal(locals.delete(local), true);
      assert.equal(local.get(), undefined);
      assert.deepEqual(
        [locals.has(local), locals.has('name'), locals.has('none')],
        [false, true, false],
      );
    }));
});

describe('spawningGreenlet', () => {
  test('is there as long as somebody keeps it, ended or not', () =>
    run(() => {
      let child: Greenlet | undefined;
      const parent = spawn(() => {
        child = spawn(() => {}) as Greenlet;
      });
      joinall([parent]);
      gc();
      assert.equal(child?.spawningGreenlet, parent);
      assert.equal(parent.spawningGreenlet, getCurrent());
    }));

  test('a job that spawns its successor holds none of those before', () =>
    run(() => {
      const refs: WeakRef<object>[] = [];
      const done = new Event();
      let last: Greenlet | undefined;
      const job = (left: number) => {
        refs.push(new WeakRef(getCurrent() as Greenlet));
        if (left > 0) last = spawnLater(0, job, left - 1) as Greenlet;
        else done.set();
      };
      spawn(job, 100);
      done.wait();
      refs.pop(); // the last: it is kept here
      assert.equal(survivors(refs), 0);
      assert.equal(last?.dead, true);
      assert.equal(last?.spawningGreenlet, undefined);
    }));

  test('objects that keep their greenlet and spawn their successor, likewise', () =>
    run(() => {
      const refs: WeakRef<object>[] = [];
      const done = new Event();
      class Job {
        greenlet: Greenlet | undefined;
        start(left: number): void {
          refs.push(new WeakRef(this));
          this.greenlet = spawn(() => this.next(left)) as Greenlet;
        }
        next(left: number): void {
          if (left > 0) new Job().start(left - 1);
          else done.set();
        }
      }
      new Job().start(100);
      done.wait();
      assert.ok(survivors(refs) <= 1);
    }));

  test('a greenlet that goes on does not hold the one that made it, nor what that returned', () =>
    run(() => {
      const go = new Event();
      const [child, refs] = (() => {
        let made: Greenlet | undefined;
        const parent = spawn(() => {
          made = spawn(() => go.wait()) as Greenlet;
          return {};
        });
        const value = parent.get();
        return [made as Greenlet, [new WeakRef<object>(parent), new WeakRef(value)]] as const;
      })();
      sleep(1);
      assert.equal(survivors([...refs]), 0);
      assert.equal(child.dead, false);
      go.set();
      child.join();
    }));
});

describe('wait()', () => {
  test('one promise, many waits that time out: nothing of them is held', () =>
    run(() => {
      const shutdown = new Promise<never>(() => {});
      const round = () => {
        for (let i = 0; i < 2000; i++) assert.throws(() => wait(shutdown, { timeout: 0 }), Timeout);
      };
      round();
      assert.ok(grownBy(round) < 100_000);
    }));

  test('one promise, a crowd that is killed at once: nothing of it is held', () =>
    run(() => {
      const shutdown = new Promise<never>(() => {});
      const round = () => {
        const crowd = times(2000, () => spawn(() => wait(shutdown)));
        sleep(0);
        for (const one of crowd) one.kill({ block: false });
        joinall(crowd);
      };
      round();
      assert.ok(grownBy(round) < 100_000);
    }));

  test('who joins a promise that others have left is woken in turn, with the value or the reason', () =>
    run(() => {
      for (const fails of [false, true]) {
        const { promise, resolve, reject } = withResolvers<string>();
        assert.throws(() => wait(promise, { timeout: 0 }), Timeout);
        const order: string[] = [];
        const crowd = times(5, (i) =>
          spawn(() => {
            try {
              order.push(`${i}:${wait(promise)}`);
            } catch (error) {
              order.push(`${i}!${(error as Error).message}`);
            }
          }),
        );
        sleep(0);
        crowd[2]?.kill();
        if (fails) reject(new Error('no'));
        else resolve('yes');
        joinall(crowd);
        const mark = fails ? '!no' : ':yes';
        const expected = [0, 1, 3, 4].map((i) => `${i}${mark}`).join(' ');
        assert.equal(order.filter((line) => !line.includes('killed')).join(' '), expected);
        // And once more, now that it has settled.
        if (fails) assert.throws(() => wait(promise), /no/);
        else assert.equal(wait(promise), 'yes');
      }
    }));

  test('a thenable of another kind is asked anew by each wait', () =>
    run(() => {
      let asked = 0;
      // biome-ignore lint/suspicious/noThenProperty: that is the subject
      const query = { then: (resolve: (n: number) => void) => void setImmediate(resolve, ++asked) };
      const both = times(2, () => spawn(() => wait(query as unknown as PromiseLike<number>)));
      assert.deepEqual(
        joinall(both).map((one) => one.value),
        [1, 2],
      );
      assert.equal(wait(query as unknown as PromiseLike<number>), 3);
    }));

  test('a promise that rejects after all have left is no unhandled rejection', () =>
    run(() => {
      const { promise, reject } = withResolvers<never>();
      assert.throws(() => wait(promise, { timeout: 0 }), Timeout);
      assert.throws(() => wait(promise, { timeout: 0 }), Timeout);
      reject(new Error('late'));
      sleep(5); // an unhandled rejection would end this file
    }));
});

function withResolvers<T>() {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** Bytes of the live heap that `round` leaves behind: the least of several times. */
function grownBy(round: () => void): number {
  const live = () => {
    for (let i = 0; i < 3; i++) {
      sleep(1);
      gc();
    }
    return process.memoryUsage().heapUsed;
  };
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) {
    const before = live();
    round();
    least = Math.min(least, live() - before);
  }
  return least;
}

describe('timers end with their greenlet', () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const minute = 60_000;

  for (const [title, make] of [
    ['a greenlet that returns', () => spawn(() => Timeout.startNew(minute))],
    [
      'a greenlet that throws',
      () =>
        spawn(() => {
          new Timeout(minute).start();
          new Timeout(minute, new Error('other')).start();
          throw new Error('out');
        }),
    ],
    [
      'an async function, at its first await',
      () =>
        spawn(async () => {
          Timeout.startNew(minute);
          await null;
        }),
    ],
    [
      'a greenlet that is killed',
      () => {
        const one = spawn(() => {
          Timeout.startNew(minute);
          sleep(minute);
        });
        sleep(0);
        one.kill();
        return one;
      },
    ],
    [
      'a coroutine',
      () => {
        const one = new Coroutine(() => void Timeout.startNew(minute));
        one.resume();
        return spawn(() => {});
      },
    ],
    [
      'iwait that is not driven to its end',
      () =>
        spawn(() => {
          iwait([new Event(), spawn(() => {})], { timeout: minute }).next();
        }),
    ],
  ] as [string, () => Greenlet][])
    test(title, () =>
      run(() => {
        const before = timers();
        const one = make();
        one.link(() => {}); // collected
        one.join();
        assert.equal(timers(), before);
      }),
    );

  test('those that were cancelled or have fired are not cancelled again, in whatever order', () =>
    run(() => {
      const before = timers();
      const kept = spawn(() => {
        const all = times(5, () => Timeout.startNew(minute));
        for (const i of [2, 0, 4]) all[i]?.cancel();
        const fired = Timeout.startNew(0);
        assert.throws(
          () => sleep(10),
          (error) => error === fired,
        );
        return all;
      });
      const all = kept.get();
      assert.equal(timers(), before);
      assert.deepEqual(
        all.map((one) => one.pending),
        times(5, () => false),
      );
    }));
});

describe('one listener for all', () => {
  test('fifty run() at once are no leak of listeners', async () => {
    const before = process.listenerCount('beforeExit');
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    await Promise.all(
      times(50, (i) =>
        run(() => {
          sleep(1);
          return i;
        }),
      ),
    );
    await new Promise(setImmediate);
    process.off('warning', onWarning);
    assert.deepEqual(warnings, []);
    assert.equal(process.listenerCount('beforeExit'), before);
  });

  test('fifty greenlets on one AbortSignal, and none is left when they end', async () => {
    const controller = new AbortController();
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    await run(() => {
      const all = times(50, () => {
        const one = spawn(() => sleep(60_000));
        one.killOn(controller.signal);
        return one;
      });
      sleep(0);
      for (const one of all.slice(25)) one.kill();
      controller.abort();
      joinall(all);
    });
    process.off('warning', onWarning);
    assert.deepEqual(warnings, []);
  });

  test('who aborts the signal of its own greenlet dies at its next park', () =>
    run(() => {
      const controller = new AbortController();
      const order: string[] = [];
      const one = spawn(() => {
        const self = getCurrent() as Greenlet;
        self.killOn(controller.signal);
        self.signal.addEventListener('abort', () => order.push('own signal'));
        controller.abort('enough');
        order.push('after abort');
        sleep(0);
        order.push('never');
      });
      one.join();
      assert.equal(order.join(', '), 'own signal, after abort');
      assert.equal((one.value as unknown as Error).cause, 'enough');
    }));
});

test('an iwait that is dropped in the middle is not held by what lives on, nor has a link there', () =>
  run(() => {
    const stop = new Event();
    let links = 0;
    const counted = {
      ready: () => stop.ready(),
      link: (fn: () => void) => {
        links++;
        stop.link(fn);
      },
      unlink: (fn: () => void) => {
        links--;
        stop.unlink(fn);
      },
    };
    const refs = times(50, () => {
      const other = spawn(() => {});
      const some = iwait([counted as unknown as Event, other]);
      assert.equal(some.next().value, other);
      return new WeakRef(some);
    });
    assert.equal(links, 50);
    assert.equal(survivors(refs), 0);
    for (let round = 0; round < 100 && links > 0; round++) {
      gc();
      sleep(10);
    }
    assert.equal(links, 0);
  }) as Promise<void>);
