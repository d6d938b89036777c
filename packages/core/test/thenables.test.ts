/** Whatever has a `then`, by the rules of promises, wherever it is followed; and what a signal says of the end. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  asyncify,
  blocking,
  Greenlet,
  Pool,
  park,
  run,
  sleep,
  spawn,
  Timeout,
  wait,
  withTimeout,
} from '@tendril/core';
import { inGreenlet, leaveNothing, twoTurns } from './helpers.js';

leaveNothing();

type Settle = (value?: unknown) => void;

/** A thenable of a strange library. */
function thenable(then: (resolve: Settle, reject: Settle) => void): PromiseLike<unknown> {
  // biome-ignore lint/suspicious/noThenProperty: this is what is tested
  return { then: then as never };
}

const failure = new Error('failed');

const notFollowed = thenable((resolve) => resolve('followed'));

/** What each comes to, as with `await`: a value, or what is thrown. */
const cases: Record<string, () => unknown> = {
  'calls back at once': () => thenable((resolve) => resolve(1)),
  'calls back later': () => thenable((resolve) => void setImmediate(resolve, 2)),
  rejects: () => thenable((_, reject) => reject(failure)),
  'rejects with undefined': () => thenable((_, reject) => reject()),
  'throws before': () =>
    thenable(() => {
      throw failure;
    }),
  'throws after it has resolved': () =>
    thenable((resolve) => {
      resolve(3);
      throw failure;
    }),
  'resolves twice': () =>
    thenable((resolve) => {
      resolve(4);
      resolve(5);
    }),
  'rejects after it has resolved': () =>
    thenable((resolve, reject) => {
      resolve(6);
      reject(failure);
    }),
  'resolves after it has rejected': () =>
    thenable((resolve, reject) => {
      reject(failure);
      resolve(7);
    }),
  'resolves with a promise, then rejects': () =>
    thenable((resolve, reject) => {
      resolve(new Promise((done) => setImmediate(done, 8)));
      reject(failure);
    }),
  'resolves with a promise, then throws': () =>
    thenable((resolve) => {
      resolve(new Promise((done) => setImmediate(done, 9)));
      throw failure;
    }),
  'resolves with a promise that rejects': () =>
    thenable((resolve) => resolve(Promise.reject(failure))),
  'resolves with a thenable of a thenable': () =>
    thenable((resolve) => resolve(thenable((again) => again(thenable((last) => last(10)))))),
  'rejects with a thenable, which is not followed': () =>
    thenable((_, reject) => reject(notFollowed)),
  'is a function': () =>
    Object.assign(
      () => 'called',
      thenable((resolve) => resolve(11)),
    ),
  'resolves with a function that is one': () =>
    thenable((resolve) =>
      resolve(
        Object.assign(
          () => 'called',
          thenable((last) => last(12)),
        ),
      ),
    ),
  'has a getter that throws': () => ({
    // biome-ignore lint/suspicious/noThenProperty: this is what is tested
    get then() {
      throw failure;
    },
  }),
  'resolves with one whose getter throws': () =>
    thenable((resolve) =>
      resolve({
        // biome-ignore lint/suspicious/noThenProperty: this is what is tested
        get then() {
          throw failure;
        },
      }),
    ),
  'is only an heir of Promise.prototype': () => Object.create(Promise.prototype),
  'has a long chain': () => {
    let last = thenable((resolve) => resolve(13));
    for (let i = 0; i < 20_000; i++) {
      const before = last;
      last = thenable((resolve) => resolve(before));
    }
    return last;
  },
};

async function outcomeOf(body: () => unknown): Promise<unknown> {
  try {
    return { value: await body() };
  } catch (error) {
    return error instanceof TypeError ? 'TypeError' : { error };
  }
}

/** All that follow a thenable. */
const followers: Record<string, (make: () => unknown) => unknown> = {
  'wait(…)': (make) => run(() => wait(make() as PromiseLike<unknown>)),
  'wait(function)': (make) => run(() => wait(() => make() as PromiseLike<unknown>)),
  'wait(…, { timeout })': (make) =>
    run(() => wait(make() as PromiseLike<unknown>, { timeout: 3_600_000 })),
  'run()': (make) => run(make),
  'spawn().get()': (make) => run(() => spawn(make).get()),
  'asyncify()': (make) => asyncify(make)(),
  'blocking()': (make) => run(() => blocking({ make }).make()),
  'blocking() of a function': (make) => run(() => blocking(make)()),
  'Pool.map()': (make) => run(() => new Pool(1).map(make, [1])[0]),
};

describe('a thenable comes to what await makes of it', () => {
  for (const [what, follow] of Object.entries(followers))
    test(what, async () => {
      for (const [name, make] of Object.entries(cases)) {
        const expected = await outcomeOf(async () => await make());
        assert.deepEqual(await outcomeOf(() => follow(make)), expected, name);
      }
    });

  test(
    'its `then` is read once, and called as a method of it',
    inGreenlet(() => {
      for (const follow of [
        (one: PromiseLike<unknown>) => wait(one),
        (one: PromiseLike<unknown>) => wait(() => one),
        (one: PromiseLike<unknown>) => spawn(() => one).get(),
        (one: PromiseLike<unknown>) => blocking({ get: () => one }).get(),
      ]) {
        let reads = 0;
        let self: unknown;
        const one = {
          // biome-ignore lint/suspicious/noThenProperty: this is what is tested
          get then() {
            reads++;
            return function (this: unknown, resolve: Settle) {
              self = this;
              resolve('seen');
            };
          },
        } as unknown as PromiseLike<unknown>;
        assert.equal(follow(one), 'seen');
        assert.equal(reads, 1);
        assert.equal(self, one);
      }
    }),
  );

  test(
    'one that the greenlet was killed at may still settle as it likes',
    inGreenlet(() => {
      const settle: Settle[] = [];
      const one = thenable((resolve) => void settle.push(resolve));
      const waiting = spawn(() => wait(one));
      const following = spawn(() => one);
      sleep(0);
      waiting.kill();
      following.kill();
      for (const each of settle) each(Promise.reject(failure));
      twoTurns(); // no unhandled rejection
      assert.ok(waiting.dead && following.dead);
    }),
  );

  test('a greenlet that would wait for itself fails as a promise does', async () => {
    const message = /Chaining cycle/;
    const own: Promise<unknown> = run(() => own);
    await assert.rejects(own, { name: 'TypeError', message });
    const strange: Promise<unknown> = run(() => thenable((resolve) => resolve(strange)));
    await assert.rejects(strange, { name: 'TypeError', message });
    const started: Greenlet = new Greenlet(() => started.toPromise());
    started.start();
    assert.equal(started.toPromise(), started.toPromise());
    await assert.rejects(started.toPromise(), { name: 'TypeError', message });
    await assert.rejects(started.toPromise(), { name: 'TypeError', message });
  });
});

describe('the reason of a signal is the very error that is thrown', () => {
  /** A wait that never ends, its signal, and what it throws. */
  function ended(body: (wait: () => never) => void): { reason: unknown; thrown: unknown } {
    let signal: AbortSignal | undefined;
    let reason: unknown;
    const never = () =>
      wait<never>((given) => {
        signal = given;
        given.addEventListener('abort', () => {
          reason = given.reason;
        });
        return new Promise<never>(() => {});
      });
    try {
      body(never);
    } catch (thrown) {
      assert.equal(signal?.reason, reason);
      return { reason, thrown };
    }
    throw new Error('it has ended well');
  }

  test(
    'of a Timeout, and of an error that stands for one',
    inGreenlet(() => {
      const custom = new RangeError('mine');
      const outer = ended((never) => withTimeout(5, never));
      assert.ok(outer.thrown instanceof Timeout);
      assert.equal(outer.reason, outer.thrown);
      const given = ended((never) => {
        using _limit = Timeout.startNew(5, custom);
        never();
      });
      assert.equal(given.thrown, custom);
      assert.equal(given.reason, custom);
    }),
  );

  test(
    'of the timeout of wait() itself, whose trace begins with wait',
    inGreenlet(() => {
      let reason: unknown;
      const never = (signal: AbortSignal) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason;
        });
        return new Promise<never>(() => {});
      };
      for (const timeout of [0, 5])
        assert.throws(
          () => wait(never, { timeout }),
          (error: Error) => {
            assert.equal(error, reason);
            assert.match(error.stack?.split('\n')[1] ?? '', /at wait /);
            return error instanceof Timeout && error.ms === timeout;
          },
        );
    }),
  );

  test(
    'of a kill, with an error or without; greenlet.signal has it, too',
    inGreenlet(() => {
      // In the wait itself, or woken from another park and not there yet.
      for (const error of [undefined, new Error('enough')])
        for (const there of [true, false]) {
          let wake = () => {};
          let seen: { reason: unknown; thrown: unknown } | undefined;
          const greenlet = spawn(() => {
            const { signal } = greenlet;
            if (!there)
              park<void>((resume) => {
                wake = resume;
              });
            seen = ended((never) => never());
            assert.equal(signal.reason, seen.thrown);
            throw seen.thrown;
          });
          sleep(0);
          wake();
          greenlet.kill({ error });
          assert.ok(seen?.thrown instanceof Error);
          assert.equal(seen.reason, seen.thrown);
          assert.equal(greenlet.exception ?? greenlet.value, seen.thrown);
        }
    }),
  );
});
