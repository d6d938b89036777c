/** map and imap: whose items they are, and how the input is read. */
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, test } from 'node:test';
import {
  Event,
  Group,
  getCurrent,
  isExit,
  joinall,
  Pool,
  Queue,
  run,
  SimpleQueue,
  sleep,
  spawn,
  Timeout,
} from '@tendril/core';
import { inGreenlet, leaveNothing } from './helpers.js';

leaveNothing();

const user = new AsyncLocalStorage<string>();

describe("items of several callers in one pool are each their own caller's", () => {
  function* inputOf(name: string) {
    for (const i of [1, 2, 3, 4, 5, 6]) {
      assert.equal(user.getStore(), name);
      sleep(i % 2);
      yield i;
    }
  }
  const ways: Record<string, (pool: Pool, item: (i: number) => void, name: string) => unknown> = {
    map: (pool, item) => pool.map(item, [1, 2, 3, 4, 5, 6]),
    'map of an iterable': (pool, item, name) => pool.map(item, inputOf(name)),
    mapAsync: (pool, item) => pool.mapAsync(item, [1, 2, 3, 4, 5, 6]).get(),
    imap: (pool, item, name) => [...pool.imap(item, inputOf(name))],
    imapUnordered: (pool, item, name) => [...pool.imapUnordered(item, inputOf(name))],
    spawn: (pool, item) => joinall([1, 2, 3, 4].map((i) => pool.spawn(item, i))),
    apply: (pool, item) => [1, 2, 3, 4].map((i) => pool.apply(item, [i])),
    applyAsync: (pool, item) => joinall([1, 2, 3, 4].map((i) => pool.applyAsync(item, [i]))),
    'an iterator that goes on elsewhere': (pool, item, name) => {
      const values = pool.imap(item, inputOf(name));
      values.next();
      user.run('somebody else', () => spawn(() => [...values]).join());
    },
  };
  for (const [way, start] of Object.entries(ways)) {
    test(
      way,
      inGreenlet(() => {
        const pool = new Pool(2);
        const wrong: string[] = [];
        const request = (name: string) =>
          user.run(name, () => {
            const caller = getCurrent();
            const item = (i: number) => {
              if (user.getStore() !== name) wrong.push(`${name}: ${i} in ${user.getStore()}`);
              if (getCurrent()?.spawningGreenlet !== caller) wrong.push(`${name}: ${i} another's`);
              sleep(i % 3);
            };
            start(pool, item, name);
          });
        const requests = ['alice', 'bob', 'carol'].map((name) => spawn(request, name));
        joinall(requests, { raiseError: true });
        assert.deepEqual(wrong, []);
      }),
    );
  }
});

describe('the input of imap', () => {
  for (const way of ['imap', 'imapUnordered'] as const) {
    test(
      `may be fed by the results: ${way}`,
      inGreenlet(() => {
        const queue = new Queue<number>();
        queue.put(1);
        const seen: number[] = [];
        for (const n of new Pool(3)[way]((n: number) => n, queue)) {
          seen.push(n);
          if (n < 5) queue.put(n + 1);
          else queue.shutdown();
        }
        assert.deepEqual(seen, [1, 2, 3, 4, 5]);
      }),
    );
  }

  test(
    'withholds nothing while it parks',
    inGreenlet((clock) => {
      function* input() {
        yield 1;
        sleep(1000);
        yield 2;
      }
      const at: number[] = [];
      for (const _ of new Group().imap((n: number) => n, input())) at.push(clock.now());
      assert.deepEqual(at, [0, 1000]);
    }),
  );

  test(
    'is read no faster than members can start, and no further than maxSize ahead',
    inGreenlet(() => {
      const gate = new Event();
      let read = 0;
      function* input() {
        for (;;) yield ++read;
      }
      const pool = new Pool(3);
      const values = pool.imap(() => gate.wait(), input(), { maxSize: 5 });
      const first = spawn(() => values.next().value);
      sleep(10);
      assert.equal(read, 3);
      gate.set();
      assert.equal(first.get(), true);
      sleep(10);
      // One is taken: five more may be had.
      assert.equal(read, 6);
      values.return();
      assert.equal(pool.freeCount, 3);
    }),
  );

  test(
    'counts a value that comes before its turn as untaken',
    inGreenlet(() => {
      let read = 0;
      function* input() {
        for (;;) yield ++read;
      }
      const slowFirst = (n: number) => (n === 1 ? sleep(100) : undefined);
      const values = new Pool(2).imap(slowFirst, input(), { maxSize: 4 });
      const first = spawn(() => values.next());
      sleep(50);
      assert.equal(read, 4);
      first.join();
      values.return();
    }),
  );

  const ends: Record<string, (loop: () => void) => void> = {
    'the loop is left': (loop) => loop(),
    'the caller is killed': (loop) => {
      const caller = spawn(loop);
      sleep(50);
      caller.kill();
    },
    'the caller has no more time': (loop) => {
      using limit = Timeout.startNew(50);
      assert.throws(loop, (error) => error === limit);
    },
  };
  for (const parks of [true, false]) {
    for (const [name, end] of Object.entries(ends)) {
      test(
        `is closed, ${parks ? 'parked or' : 'waiting for room,'} and what runs is killed, when ${name}`,
        inGreenlet(() => {
          const log: string[] = [];
          function* input() {
            try {
              yield 1;
              yield 2;
              if (parks) sleep(1e6);
              for (;;) yield 3;
            } finally {
              sleep(1);
              log.push('closed');
            }
          }
          const work = (n: number) => {
            if (n === 1) return;
            try {
              sleep(1e6);
            } catch (error) {
              if (isExit(error)) log.push('killed');
              throw error;
            }
          };
          const pool = new Pool(2);
          end(() => {
            for (const _ of pool.imapUnordered(work, input())) {
              if (name === 'the loop is left') {
                sleep(10);
                break;
              }
            }
          });
          assert.equal(log.filter((what) => what === 'closed').length, 1);
          pool.join();
          assert.equal(log.filter((what) => what === 'killed').length, parks ? 1 : 2);
        }),
      );
    }
  }

  test(
    'that throws, or whose reader is ended, ends the iteration with that error',
    inGreenlet(() => {
      function* failing() {
        yield 1;
        throw new Error('input');
      }
      assert.throws(() => [...new Pool(1).imap((n: number) => n, failing())], /input/);
      function* dying(): Generator<number> {
        yield 1;
        getCurrent()?.kill();
      }
      assert.throws(() => [...new Pool(1).imap((n: number) => n, dying())], isExit);
      const closing = {
        [Symbol.iterator]: () => ({
          next: () => ({ done: false as const, value: 1 }),
          return: () => {
            throw new Error('closing');
          },
        }),
      };
      const leave = () => {
        for (const _ of new Pool(1).imap((n: number) => n, closing, { maxSize: 1 })) break;
      };
      assert.throws(leave, /closing/);
    }),
  );

  test('is not touched before the first value is asked for', async () => {
    let asked = 0;
    const items = {
      [Symbol.iterator]: () => {
        asked++;
        return [1][Symbol.iterator]();
      },
    };
    const pool = new Pool(1);
    assert.throws(() => pool.imap(5 as never, items), { code: 'ERR_INVALID_ARG' });
    await run(() => {
      const values = pool.imap((n: number) => n, items);
      sleep(0);
      assert.equal(asked, 0);
      assert.deepEqual([...values], [1]);
      assert.equal(asked, 1);
    });
  });
});

test(
  'a SimpleQueue with a maxSize parks who puts into it when it is full',
  inGreenlet(() => {
    const queue = new SimpleQueue<number>(2);
    const putter = spawn(() => [1, 2, 3].map((n) => queue.put(n)));
    sleep(0);
    assert.deepEqual([queue.size, queue.full(), putter.ready()], [2, true, false]);
    assert.throws(() => queue.putNowait(4), { code: 'ERR_QUEUE_FULL' });
    assert.deepEqual([queue.get(), queue.get(), queue.get()], [1, 2, 3]);
    putter.get();
    assert.throws(() => new SimpleQueue(0), { code: 'ERR_INVALID_ARG' });
  }),
);
