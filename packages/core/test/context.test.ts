/** Whatever is made, called or continued later runs in the context of who asked for it. */
import assert from 'node:assert/strict';
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { describe, test } from 'node:test';
import {
  AsyncResult,
  Event,
  getCurrent,
  getHub,
  run,
  sleep,
  snapshotContext,
  spawn,
  withoutContext,
} from '@tendril/core';
import { Coroutine } from '@tendril/core/coroutine';
import { inGreenlet, leaveNothing, twoTurns } from './helpers.js';

leaveNothing();

const user = new AsyncLocalStorage<string>();
const look = () => user.getStore();

function sleepAndLook() {
  sleep(2);
  return look();
}

/** One turn of the event loop on the main stack. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('snapshotContext', () => {
  const inAlice = user.run('alice', () => snapshotContext());

  test('runs functions where it was taken, on the main stack and in greenlets that park there', async () => {
    assert.equal(inAlice(look), 'alice');
    assert.equal(look(), undefined);
    const seen = await user.run('bob', () =>
      run(() => {
        const inside = inAlice(() => {
          sleep(0);
          const carol = user.run('carol', () => {
            sleep(0);
            return look();
          });
          return `${carol} ${look()} ${spawn(look).get()}`;
        });
        return `${inside} ${look()}`;
      }),
    );
    assert.equal(seen, 'carol alice alice bob');
  });

  test('gives the caller its own context back after a throw, and after enterWith', async () => {
    const check = () => {
      const before = look();
      assert.throws(() => inAlice(() => assert.fail('thrown')), /thrown/);
      inAlice(() => user.enterWith('entered'));
      assert.equal(look(), before);
      assert.equal(inAlice(look), 'alice');
    };
    check();
    await run(() => user.run('bob', check));
  });

  test('taken before anybody used a storage, has no store of it', async () => {
    const early = snapshotContext();
    const late = new AsyncLocalStorage<number>();
    await run(() =>
      late.run(1, () => {
        assert.equal(
          early(() => late.getStore()),
          undefined,
        );
        assert.equal(late.getStore(), 1);
      }),
    );
    early(() => late.enterWith(2));
    assert.equal(late.getStore(), undefined);
  });

  test(
    'withoutContext shows no stores, nor do greenlets that are spawned there',
    inGreenlet(() => {
      const bare = user.run('bob', () => withoutContext(() => [look(), spawn(look).get()]));
      assert.deepEqual(bare, [undefined, undefined]);
    }),
  );
});

describe('the hub', () => {
  test('calls back in the context of who scheduled, whoever runs or has armed it', async () => {
    const seen: unknown[] = [];
    user.run('alice', () => getHub().schedule(() => seen.push(look())));
    getHub().schedule(() => seen.push(look()));
    await turn();
    await run(() =>
      user.run('bob', () => {
        inAliceLater(seen);
        spawn(() => sleep(0));
        sleep(0);
        seen.push(look());
      }),
    );
    assert.deepEqual(seen, ['alice', undefined, 'alice', undefined, 'bob']);
  });

  function inAliceLater(seen: unknown[]): void {
    const record = () => seen.push(look());
    user.run('alice', () => getHub().schedule(record));
    withoutContext(() => getHub().schedule(record));
  }

  test('keeps a callback that enters a context from giving it to others', async () => {
    const seen: unknown[] = [];
    await run(() => {
      getHub().schedule(() => user.enterWith('mallory'));
      getHub().schedule(() => seen.push(look()));
      spawn(() => seen.push(look()));
      sleep(0);
      seen.push(look());
    });
    assert.deepEqual(seen, [undefined, undefined, undefined]);
  });

  test('gives a callback its context back after a coroutine that it resumes', async () => {
    const seen: unknown[] = [];
    const coroutine = new Coroutine(() => {
      user.enterWith('coroutine');
      Coroutine.suspend();
    });
    await run(() => {
      user.run('alice', () =>
        getHub().schedule(() => {
          coroutine.resume();
          seen.push(look());
        }),
      );
      sleep(0);
      coroutine.resume();
    });
    assert.deepEqual(seen, ['alice']);
  });
});

describe("a callback runs in the context of who gave it, and its greenlets are nobody else's", () => {
  const targets: Record<string, () => [(callback: () => void) => void, () => void]> = {
    'link of a greenlet': () => {
      const gate = new Event();
      const greenlet = spawn(() => gate.wait());
      return [(callback) => greenlet.link(callback), () => gate.set()];
    },
    'linkValue of one that has ended': () => {
      const greenlet = spawn(() => 1);
      greenlet.join();
      return [(callback) => greenlet.linkValue(callback), () => {}];
    },
    linkException: () => {
      const gate = new Event();
      const greenlet = spawn(() => {
        gate.wait();
        throw new Error('fails');
      });
      return [(callback) => greenlet.linkException(callback), () => gate.set()];
    },
    'link of an event': () => {
      const event = new Event();
      return [(callback) => event.link(callback), () => event.set()];
    },
    'link of an event that is set': () => {
      const event = new Event();
      event.set();
      return [(callback) => event.link(callback), () => {}];
    },
    'link of a result': () => {
      const result = new AsyncResult();
      return [(callback) => result.link(callback), () => result.setException(new Error('fails'))];
    },
    'schedule of the hub': () => [(callback) => getHub().schedule(callback), () => {}],
    'a timer': () => [(callback) => void getHub().clock.setTimer(2, callback), () => {}],
  };

  for (const [name, make] of Object.entries(targets)) {
    test(
      name,
      inGreenlet(() => {
        const seen: unknown[] = [];
        const [give, finish] = make();
        sleep(0);
        // Others run all the time, and one of them ends what is waited for.
        const others = [1, 2, 3].map(() =>
          user.run('bob', () =>
            spawn(() => {
              for (let i = 0; i < 5; i++) sleep(1);
            }),
          ),
        );
        user.run('alice', () =>
          give(() => {
            seen.push(look(), getCurrent());
            const made = spawn(look);
            seen.push(made.spawningGreenlet);
            made.link(() => seen.push(made.value, look()));
          }),
        );
        user.run('carol', finish);
        for (const other of others) other.join();
        assert.deepEqual(seen, ['alice', undefined, undefined, 'alice', 'alice']);
      }),
    );
  }

  test(
    'a listener of greenlet.signal in that of who asked for the signal first',
    inGreenlet(() => {
      const seen: unknown[] = [];
      const greenlet = user.run('alice', () => spawn(() => sleep(100)));
      user.run('bob', () => greenlet.signal.addEventListener('abort', () => seen.push(look())));
      sleep(0);
      user.run('carol', () => greenlet.kill());
      assert.deepEqual(seen, ['bob']);
    }),
  );

  test(
    'killed before its start, a greenlet is reported in its own',
    inGreenlet(() => {
      const hub = getHub();
      const { onError } = hub;
      const seen: unknown[] = [];
      hub.onError = () => seen.push(look());
      const unstarted = user.run('alice', () => spawn(() => 1));
      const following = user.run('bob', () => spawn(() => new Promise(() => {})));
      user.run('mallory', () => unstarted.kill({ error: new Error('no start'), block: false }));
      sleep(0);
      user.run('mallory', () => following.kill({ error: new Error('no end'), block: false }));
      twoTurns();
      hub.onError = onError;
      assert.deepEqual(seen, ['alice', 'bob']);
    }),
  );
});

describe('a park', () => {
  test("in exit() takes nobody else's store away, and brings none", async () => {
    const exits = (ms: number) =>
      user.exit(() => {
        sleep(ms);
        return String(look());
      });
    await run(() => {
      const alice = user.run('alice', () => spawn(sleepAndLook));
      const inExit = [1, 4, 3].map((ms, i) =>
        user.run(`in ${i}`, () => spawn(() => `${exits(ms)} ${look()}`)),
      );
      assert.equal(alice.get(), 'alice');
      assert.deepEqual(
        inExit.map((greenlet) => greenlet.get()),
        ['undefined in 0', 'undefined in 1', 'undefined in 2'],
      );
    });
  });

  test('in one AsyncResource that several greenlets are in shows each its own stores', async () => {
    const resource = user.run('resource', () => new AsyncResource('Test'));
    await run(() => {
      const all = ['a', 'b', 'c'].map((name, i) =>
        spawn(() =>
          resource.runInAsyncScope(() => {
            const outer = look();
            const inner = user.run(name, () => {
              sleep(i);
              resource.runInAsyncScope(() => sleep(0));
              return look();
            });
            sleep(3 - i);
            return `${outer} ${inner} ${look()}`;
          }),
        ),
      );
      sleep(1);
      assert.equal(resource.runInAsyncScope(look), 'resource');
      assert.deepEqual(
        all.map((greenlet) => greenlet.get()),
        ['resource a resource', 'resource b resource', 'resource c resource'],
      );
    });
  });
});
