/** Links and waiters of greenlets, events and results: who is told, who is not, and at what cost. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AsyncResult, Event, getCurrent, type Linkable, run, sleep, spawn } from '@tendril/core';
import { inGreenlet, leaveNothing } from './helpers.js';

leaveNothing();

/** Things to link to, and how each becomes ready. */
const kinds: Record<string, () => [Linkable, () => void]> = {
  greenlet: () => {
    const gate = new Event();
    const greenlet = spawn(() => gate.wait());
    return [
      greenlet,
      () => {
        gate.set();
        greenlet.join();
      },
    ];
  },
  event: () => {
    const event = new Event();
    return [event, () => event.set()];
  },
  result: () => {
    const result = new AsyncResult();
    return [result, () => result.set(1)];
  },
};

for (const [kind, make] of Object.entries(kinds)) {
  describe(`links of ${kind}`, () => {
    for (const count of [1, 5, 100]) {
      test(
        `${count} are called once, in order, outside greenlets; what one of them removes is not`,
        inGreenlet(() => {
          const [object, finish] = make();
          sleep(0);
          const seen: unknown[] = [];
          const last = () => seen.push('removed');
          for (let i = 0; i < count; i++)
            object.link(() => {
              seen.push(i);
              assert.equal(getCurrent(), undefined);
              object.unlink(last);
            });
          object.link(last);
          finish();
          sleep(0);
          sleep(0);
          assert.equal(seen.join(), [...Array(count).keys()].join());
          // The same when it is ready already.
          object.link(() => object.unlink(last));
          object.link(last);
          object.link(() => seen.push('late'));
          sleep(0);
          assert.equal(seen.slice(count).join(), 'late');
        }),
      );

      test(
        `of ${count} of one callback, one unlink takes one back`,
        inGreenlet(() => {
          const [object, finish] = make();
          let calls = 0;
          const callback = () => calls++;
          for (let i = 0; i < count; i++) object.link(callback);
          object.unlink(callback);
          object.unlink(() => {});
          finish();
          sleep(0);
          sleep(0);
          assert.equal(calls, count - 1);
        }),
      );
    }
  });
}

test(
  'links that are added, removed and called at random do what a plain list would',
  inGreenlet(() => {
    let state = 7;
    const random = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    for (let round = 0; round < 20; round++) {
      const event = new Event();
      const called: number[] = [];
      const expected: number[] = [];
      let linked: number[] = [];
      const callbacks = Array.from({ length: 60 }, (_, i) => () => called.push(i));
      for (let step = 0; step < 300; step++) {
        const i = random(60);
        const callback = callbacks[i] as () => void;
        if (random(40) === 0) {
          event.set();
          event.clear();
          // On their way: each may still be taken back before its call.
          const back = linked.filter(() => random(3) === 0);
          for (const each of back) {
            event.unlink(callbacks[each] as () => void);
            linked.splice(linked.lastIndexOf(each), 1);
          }
          expected.push(...linked);
          linked = [];
          sleep(0);
        } else if (random(3) > 0) {
          event.link(callback);
          linked.push(i);
        } else {
          event.unlink(callback);
          const at = linked.lastIndexOf(i);
          if (at >= 0) linked.splice(at, 1);
        }
      }
      assert.deepEqual(called, expected, `round ${round}`);
    }
  }),
);

describe('many links that are taken back take linear time', () => {
  /** Microseconds of processor time. */
  function cost(object: Linkable, order: (all: (() => void)[]) => (() => void)[], n: number) {
    const callbacks = Array.from({ length: n }, (_, i) => () => assert.fail(`called: ${i}`));
    for (const callback of callbacks) object.link(callback);
    const before = process.cpuUsage();
    for (const callback of order(callbacks)) object.unlink(callback);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  }

  const orders: Record<string, (all: (() => void)[]) => (() => void)[]> = {
    first: (all) => all,
    last: (all) => all.toReversed(),
  };
  for (const [kind, make] of Object.entries(kinds)) {
    for (const [which, order] of Object.entries(orders)) {
      test(`of ${kind}, the ${which} first`, async () => {
        await run(() => {
          const [object, finish] = make();
          sleep(0);
          cost(object, order, 1000);
          const small = cost(object, order, 4000);
          const large = cost(object, order, 64_000);
          // Sixteen times as many: quadratic would be 256, and seconds.
          assert.ok(large < 80 * Math.max(small, 8000), `${small} and ${large} us`);
          finish();
          sleep(0);
        });
      });
    }
  }
});
