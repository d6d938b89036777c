import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  AsyncResult,
  BoundedSemaphore,
  Channel,
  Condition,
  Event,
  Group,
  isExit,
  joinall,
  LifoQueue,
  Pool,
  PriorityQueue,
  Queue,
  QueueEmpty,
  QueueFull,
  QueueShutDown,
  RLock,
  run,
  Semaphore,
  SimpleQueue,
  sleep,
  spawn,
  Timeout,
} from '@tendril/core';
import { assertNoSwitch, assertSwitches, Sequencer, waitAllParked } from '@tendril/core/testing';
import { inGreenlet, leaveNothing } from './helpers.js';

leaveNothing();

describe('Event', () => {
  test(
    'wakes everybody who waits, even if clear follows at once',
    inGreenlet(() => {
      const event = new Event();
      const all = [1, 2].map(() => spawn(() => event.wait()));
      sleep(0);
      event.set();
      event.clear();
      assert.deepEqual(
        joinall(all).map((greenlet) => greenlet.get()),
        [true, true],
      );
      assert.equal(event.wait({ timeout: 10 }), false);
      assert.equal(event.statistics().waiting, 0);
    }),
  );
});

describe('AsyncResult', () => {
  test(
    'gives its value or throws the very error, to all',
    inGreenlet(() => {
      const error = new Error('e');
      const result = new AsyncResult<number>();
      const all = [1, 2].map(() => spawn(() => result.get()));
      assert.throws(() => result.get({ timeout: 1 }), Timeout);
      assert.throws(() => result.getNowait(), Timeout);
      result.set(5);
      assert.deepEqual(
        all.map((greenlet) => greenlet.get()),
        [5, 5],
      );
      result.setException(error);
      assert.throws(
        () => result.get(),
        (e) => e === error,
      );
      assert.equal(result.wait(), undefined);
    }),
  );
});

describe('Semaphore', () => {
  test(
    'is first come, first served, and a releaser never barges ahead',
    inGreenlet(() => {
      const semaphore = new Semaphore(1);
      const log: string[] = [];
      semaphore.acquire();
      const all = [1, 2].map((n) =>
        spawn(() => {
          semaphore.acquire();
          log.push(`${n}`);
          semaphore.release();
        }),
      );
      sleep(0);
      semaphore.release();
      assert.equal(semaphore.acquire({ block: false }), false);
      semaphore.acquire();
      log.push('main');
      semaphore.release();
      joinall(all);
      assert.equal(log.join(), '1,2,main');
      assert.equal(semaphore.counter, 1);
    }),
  );

  test(
    'a permit on its way to one that is killed goes to the next',
    inGreenlet(() => {
      const semaphore = new Semaphore(0);
      const [a, b] = [1, 2].map(() => spawn(() => semaphore.acquire()));
      sleep(0);
      semaphore.release();
      a?.kill();
      assert.ok(isExit(a?.value));
      assert.equal(b?.get(), true);
    }),
  );

  test(
    'waits no longer than its timeout',
    inGreenlet((clock) => {
      assert.equal(new Semaphore(0).acquire({ timeout: 20 }), false);
      assert.equal(clock.now(), 20);
    }),
  );

  test(
    'bounded refuses one release too many',
    inGreenlet(() => {
      const bounded = new BoundedSemaphore(1);
      assert.equal(
        bounded.use(() => bounded.locked()),
        true,
      );
      assert.throws(() => bounded.release(), { code: 'ERR_RELEASE' });
      {
        using _held = bounded.hold();
        assert.equal(bounded.counter, 0);
      }
      assert.equal(bounded.counter, 1);
    }),
  );
});

describe('RLock and Condition', () => {
  test(
    'the owner may take it again; others wait, and must not release it',
    inGreenlet(() => {
      const lock = new RLock();
      lock.acquire();
      lock.acquire();
      const other = spawn(() => {
        assert.throws(() => lock.release(), { code: 'ERR_RELEASE' });
        assert.equal(lock.acquire({ block: false }), false);
        lock.acquire();
        lock.release();
        return 'got it';
      });
      sleep(0);
      lock.release();
      sleep(0);
      assert.ok(!other.ready());
      lock.release();
      assert.equal(other.get(), 'got it');
      assert.throws(() => lock.release(), { code: 'ERR_RELEASE' });
    }),
  );

  test(
    'a notified or killed waiter holds the lock again, at all levels',
    inGreenlet(() => {
      const condition = new Condition();
      const log: string[] = [];
      const waiter = (name: string) =>
        spawn(() => {
          condition.acquire();
          condition.acquire();
          try {
            log.push(`${name} ${condition.wait()}`);
          } finally {
            condition.release();
            condition.release();
            log.push(`${name} released`);
          }
        });
      const a = waiter('a');
      const b = waiter('b');
      sleep(0);
      assert.throws(() => condition.notify(), { code: 'ERR_RELEASE' });
      condition.acquire();
      condition.notify();
      a.kill({ block: false });
      condition.release();
      joinall([a, b]);
      assert.deepEqual(log, ['a released', 'b true', 'b released']);
      condition.acquire();
      assert.equal(condition.wait({ timeout: 5 }), false);
      condition.release();
    }),
  );
});

describe('queues', () => {
  test(
    'order items: first in, last in, least',
    inGreenlet(() => {
      const drain = (queue: Queue<number> | LifoQueue<number> | PriorityQueue<number>) => {
        for (const item of [3, 1, 2]) queue.put(item);
        queue.shutdown();
        return [...queue].join();
      };
      assert.equal(drain(new Queue()), '3,1,2');
      assert.equal(drain(new LifoQueue()), '2,1,3');
      assert.equal(drain(new PriorityQueue()), '1,2,3');
    }),
  );

  test(
    'park putters while full, and let them in as they came',
    inGreenlet(() => {
      const queue = new Queue<number>(1);
      const putters = [1, 2, 3].map((n) => spawn(() => queue.put(n)));
      sleep(0);
      assert.throws(() => queue.putNowait(9), QueueFull);
      assert.throws(() => queue.put(9, { timeout: 5 }), QueueFull);
      putters[1]?.kill();
      assert.equal([queue.get(), queue.get()].join(), '1,3');
      assert.throws(() => queue.getNowait(), QueueEmpty);
      assert.throws(() => queue.get({ timeout: 5 }), QueueEmpty);
    }),
  );

  test(
    'items on their way to several that are killed in one turn keep their order',
    inGreenlet(() => {
      const queue = new Queue<number>();
      const getters = [1, 2, 3].map(() => spawn(() => queue.get()));
      sleep(0);
      for (const [at, getter] of getters.entries()) {
        queue.put(at);
        getter.kill({ block: false });
      }
      assert.deepEqual(
        [queue.getNowait(), queue.getNowait(), queue.getNowait()],
        [0, 1, 2],
        'before the dead have run',
      );
      joinall(getters);
    }),
  );

  test(
    'an item on its way to one that is killed stays first',
    inGreenlet(() => {
      const queue = new Queue<string>();
      const getter = spawn(() => queue.get());
      sleep(0);
      queue.put('a');
      queue.put('b');
      getter.kill();
      assert.ok(isExit(getter.value));
      assert.equal([queue.get(), queue.get()].join(), 'a,b');
    }),
  );

  test(
    'a channel has no room: put parks until a get',
    inGreenlet(() => {
      const channel = new Channel<string>();
      const log: string[] = [];
      const putter = spawn(() => {
        channel.put('x');
        log.push('put');
      });
      sleep(0);
      assert.equal(log.join(), '');
      log.push(channel.get());
      putter.join();
      assert.equal(log.join(), 'x,put');
      assert.throws(() => channel.putNowait('y'), QueueFull);
    }),
  );

  test(
    'join waits for every task, taskDone counts',
    inGreenlet(() => {
      const queue = new Queue<number>();
      spawn(() => {
        for (const _ of queue) {
          sleep(10);
          queue.taskDone();
        }
      });
      for (const item of [1, 2, 3]) queue.put(item);
      assert.equal(queue.join({ timeout: 5 }), false);
      assert.equal(queue.join(), true);
      assert.throws(() => queue.taskDone(), { code: 'ERR_RELEASE' });
      queue.shutdown();
      assert.throws(() => queue.put(1), QueueShutDown);
      sleep(0);
    }),
  );

  test('work from callbacks outside greenlets', async () => {
    const queue = new SimpleQueue<number>();
    const event = new Event();
    setTimeout(() => {
      queue.putNowait(1);
      event.set();
    }, 1);
    assert.equal(await run(() => event.wait() && queue.get()), 1);
    assert.throws(() => queue.getNowait(), QueueEmpty);
    assert.throws(() => queue.get(), { code: 'ERR_NOT_IN_GREENLET' });
  });

  test('refuse sizes that are none', () => {
    for (const size of [0, -1, 1.5, Number.NaN, '3'] as never[]) {
      assert.throws(() => new Queue(size), { code: 'ERR_INVALID_ARG' });
      assert.throws(() => new Pool(size), { code: 'ERR_INVALID_ARG' });
    }
    assert.throws(() => new Semaphore(-1), { code: 'ERR_INVALID_ARG' });
  });
});

describe('Group and Pool', () => {
  test(
    'a pool runs no more than its size at a time',
    inGreenlet(() => {
      const pool = new Pool(3);
      let peak = 0;
      const values = pool.map(
        (n) => {
          peak = Math.max(peak, pool.size);
          sleep(10 - n);
          return n * 2;
        },
        [1, 2, 3, 4, 5],
      );
      assert.equal(values.join(), '2,4,6,8,10');
      assert.equal(peak, 3);
      assert.equal(pool.freeCount, 3);
    }),
  );

  test(
    'spawn parks while the pool is full; one that is killed gives its slot back',
    inGreenlet(() => {
      const pool = new Pool(1);
      const first = pool.spawn(() => sleep(1000));
      const spawner = spawn(() => pool.spawn(() => 'second').get());
      sleep(0);
      assert.ok(pool.full && !spawner.ready());
      first.kill();
      assert.equal(spawner.get(), 'second');
      assert.equal(pool.freeCount, 1);
    }),
  );

  test(
    'imap keeps the order, imapUnordered does not; both take iterables that park',
    inGreenlet(() => {
      const pool = new Pool(4);
      function* items() {
        for (const n of [3, 1, 2]) {
          sleep(1);
          yield n;
        }
      }
      const work = (n: number) => {
        sleep(n * 10);
        return n;
      };
      assert.equal([...pool.imap(work, items())].join(), '3,1,2');
      assert.equal([...pool.imapUnordered(work, [3, 1, 2], { maxSize: 3 })].join(), '1,2,3');
      for (const n of pool.imapUnordered(work, [1, 100])) {
        assert.equal(n, 1);
        break;
      }
      pool.join();
      assert.equal(pool.freeCount, 4);
    }),
  );

  test(
    'map throws the first failure and starts nothing more; a killed caller takes all along',
    inGreenlet(() => {
      const pool = new Pool(2);
      const started: number[] = [];
      const failing = (n: number) => {
        started.push(n);
        sleep(1);
        if (n === 1) throw new Error('one');
      };
      assert.throws(() => pool.map(failing, [1, 2, 3, 4, 5, 6]), /one/);
      pool.join();
      assert.ok(started.length < 6);
      const caller = spawn(() => pool.map(() => sleep(1000), [1, 2, 3]));
      sleep(0);
      sleep(0);
      caller.kill();
      pool.join();
      assert.equal(pool.freeCount, 2);
    }),
  );

  test(
    'apply, applyAsync, join with raiseError, kill',
    inGreenlet(() => {
      const group = new Group();
      assert.equal(
        group.apply((a: number, b: number) => a + b, [1, 2]),
        3,
      );
      assert.equal(group.applyAsync((a: number) => a, [4]).get(), 4);
      group.spawn(() => {
        sleep(1);
        throw new Error('member');
      });
      assert.throws(() => group.join({ raiseError: true }), /member/);
      const member = group.spawn(() => sleep(1000));
      assert.ok(group.has(member));
      assert.equal(group.join({ timeout: 5 }), false);
      group.kill();
      assert.equal(group.size, 0);
    }),
  );
});

describe('testing', () => {
  test(
    'Sequencer makes greenlets take turns',
    inGreenlet(() => {
      const order = new Sequencer();
      const log: number[] = [];
      joinall([2, 0, 1].map((n) => spawn(() => order.step(n, () => log.push(n)))));
      assert.equal(log.join(), '0,1,2');
      assert.throws(() => order.step(1, () => {}), /used once/);
    }),
  );

  test(
    'assertSwitches and assertNoSwitch tell whether code parks',
    inGreenlet(() => {
      assertSwitches(() => sleep(1));
      assertNoSwitch(() => new Semaphore(1).acquire());
      assert.throws(() => assertSwitches(() => 0), /never parked/);
      assert.throws(() => assertNoSwitch(() => sleep(1)), /parked its greenlet once/);
    }),
  );

  test(
    'waitAllParked returns when the others are parked',
    inGreenlet(() => {
      const event = new Event();
      const log: string[] = [];
      const other = spawn(() => {
        for (let i = 0; i < 3; i++) sleep(0);
        log.push('parked');
        event.wait();
      });
      waitAllParked();
      assert.equal(log.join(), 'parked');
      event.set();
      other.join();
    }),
  );
});
