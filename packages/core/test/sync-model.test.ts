/** Random histories against trivial models: nothing is lost, nothing goes to the dead. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Event,
  type Greenlet,
  isExit,
  Pool,
  Queue,
  ResourcePool,
  run,
  Semaphore,
  sleep,
  spawn,
} from '@tendril/core';
import { VirtualClock } from '@tendril/core/testing';
import fc from 'fast-check';
import { leaveNothing } from './helpers.js';

leaveNothing();

const { TENDRIL_TEST_LONG: long, TENDRIL_TEST_SHORT: short } = process.env;
const numRuns = long ? 5000 : short ? 40 : 200;

type Step =
  | { do: 'wait'; timeout: number | undefined }
  | { do: 'give' }
  | { do: 'kill'; which: number; giveFirst: boolean }
  | { do: 'pass'; ms: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant('wait' as const),
      timeout: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }),
    }),
    fc.record({ do: fc.constant('give' as const) }),
    fc.record({
      do: fc.constant('kill' as const),
      which: fc.nat(5),
      giveFirst: fc.boolean(),
    }),
    fc.record({ do: fc.constant('pass' as const), ms: fc.nat(4) }),
  ),
  { maxLength: 40 },
);

/** Runs `body` for many histories, each in a greenlet and in virtual time. */
async function forAll(body: (history: Step[]) => void): Promise<void> {
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      using _clock = VirtualClock.install();
      await run(() => body(history));
    }),
    { numRuns },
  );
}

/** Carries a history out; `wait` and `give` are those of the primitive. */
function play(history: Step[], wait: (timeout?: number) => unknown, give: () => void): Greenlet[] {
  const waiters: Greenlet[] = [];
  for (const step of history) {
    if (step.do === 'wait') waiters.push(spawn(() => wait(step.timeout)));
    else if (step.do === 'give') give();
    else if (step.do === 'pass') sleep(step.ms);
    else {
      if (step.giveFirst) give();
      const alive = waiters.filter((waiter) => !waiter.dead);
      alive[step.which % alive.length]?.kill({ block: false });
    }
  }
  sleep(10);
  return waiters;
}

const finish = (waiters: Greenlet[]) => {
  for (const waiter of waiters) waiter.kill();
};

test('Queue: every item is got once, in order, or still there', () =>
  forAll((history) => {
    const queue = new Queue<number>();
    const got: number[] = [];
    let put = 0;
    const waiters = play(
      history,
      (timeout) => {
        try {
          got.push(queue.get({ timeout }));
        } catch (error) {
          if (isExit(error)) throw error;
        }
      },
      () => queue.put(put++),
    );
    const stillWaiting = waiters.filter((waiter) => !waiter.dead).length;
    const left: number[] = [];
    while (!queue.empty()) left.push(queue.get());
    assert.ok(stillWaiting === 0 || left.length === 0, 'nobody waits beside an item');
    assert.deepEqual(
      [...got, ...left].sort((a, b) => a - b),
      [...Array(put).keys()],
    );
    assert.deepEqual(
      left,
      [...left].sort((a, b) => a - b),
    );
    finish(waiters);
  }));

test('Semaphore: permits are neither lost nor made', () =>
  forAll((history) => {
    const semaphore = new Semaphore(0);
    let given = 0;
    let taken = 0;
    const waiters = play(
      history,
      (timeout) => {
        if (semaphore.acquire({ timeout })) taken++;
      },
      () => {
        given++;
        semaphore.release();
      },
    );
    const stillWaiting = waiters.filter((waiter) => !waiter.dead).length;
    assert.equal(taken + semaphore.counter, given);
    assert.ok(stillWaiting === 0 || semaphore.counter === 0);
    assert.equal(semaphore.statistics().waiting, stillWaiting);
    finish(waiters);
  }));

test('Event: a set wakes everybody who waits then, and nobody later', () =>
  forAll((history) => {
    const event = new Event();
    let woken = 0;
    let expected = 0;
    const waiters = play(
      history,
      (timeout) => {
        if (event.wait({ timeout })) woken++;
      },
      () => {
        expected += event.statistics().waiting;
        event.set();
        event.clear();
      },
    );
    const killed = waiters.filter((waiter) => isExit(waiter.value)).length;
    assert.ok(woken <= expected && woken >= expected - killed, `${woken} of ${expected}`);
    assert.equal(event.statistics().waiting, waiters.filter((waiter) => !waiter.dead).length);
    finish(waiters);
  }));

test('Pool: slots are given back exactly once', () =>
  forAll((history) => {
    const pool = new Pool(2);
    let running = 0;
    const waiters = play(
      history,
      (timeout) =>
        pool.spawn(() => {
          running++;
          assert.ok(running <= 2);
          try {
            sleep(timeout ?? 1);
          } finally {
            running--;
          }
        }),
      () => [...pool][0]?.kill({ block: false }),
    );
    sleep(1000);
    finish(waiters);
    pool.join();
    assert.equal(pool.freeCount, 2);
    assert.equal(pool.size, 0);
    assert.equal(running, 0);
  }));

test('ResourcePool: never more than may be, each lent to one at a time, and none is lost', () =>
  forAll((history) => {
    const max = 2;
    let calls = 0;
    let alive = 0;
    const lent = new Set<object>();
    const pool = new ResourcePool<object>({
      max,
      create() {
        calls++;
        sleep(calls % 4);
        if (calls % 5 === 0) throw new RangeError('not made');
        alive++;
        return {};
      },
      destroy: () => void alive--,
    });
    const ask = (timeout?: number) => {
      const resource = pool.acquire({ timeout });
      assert.ok(!lent.has(resource));
      lent.add(resource);
      assert.ok(lent.size <= max && pool.statistics().size <= max);
    };
    const giveBack = () => {
      const [resource] = lent;
      if (!resource) return;
      lent.delete(resource);
      pool.release(resource, { destroy: calls % 3 === 0 });
    };
    const acquire = (timeout?: number) => {
      try {
        ask(timeout);
      } catch (error) {
        const { code } = error as { code?: string };
        if (!(error instanceof RangeError) && code !== 'ERR_ACQUIRE_TIMEOUT') throw error;
      }
    };
    const waiters = play(history, acquire, giveBack);
    for (let n = 0; waiters.some((waiter) => !waiter.dead); n++) {
      assert.ok(n < 1000, 'somebody waits for ever');
      giveBack();
      sleep(1);
    }
    for (const waiter of waiters) assert.ok(isExit(waiter.value) || waiter.successful());
    assert.equal(pool.statistics().lent, lent.size);
    while (lent.size > 0) giveBack();
    assert.equal(pool.close({ timeout: 100 }), true);
    assert.equal(alive, 0);
  }));
