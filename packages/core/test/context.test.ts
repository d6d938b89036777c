/** Whatever is made, called or continued later runs in the context of who asked for it. */
import assert from 'node:assert/strict';
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { describe, test } from 'node:test';
import { getHub, run, sleep, snapshotContext, spawn, withoutContext } from '@tendril/core';
import { Coroutine } from '@tendril/core/coroutine';
import { inGreenlet, leaveNothing } from './helpers.js';

leaveNothing();

const user = new AsyncLocalStorage<string>();
const look = () => user.getStore();

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

describe('a park', () => {
  test("in exit() takes nobody else's store away, and brings none", async () => {
    const exits = (ms: number) =>
      user.exit(() => {
        sleep(ms);
        return String(look());
      });
    await run(() => {
      const alice = user.run('alice', () => spawn(() => sleep(2) ?? look()));
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
