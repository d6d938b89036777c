import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { joinall, run, sleep, spawn, Timeout, wait } from '@tendril/core';
import { patchAtomics, restore } from '@tendril/core/monkey';
import { VirtualClock } from '@tendril/core/testing';
import { leaveNothing } from '../helpers.js';
import { type Row, testTable } from './table.js';

leaveNothing();

const i32 = () => new Int32Array(new SharedArrayBuffer(16));
const i64 = () => new BigInt64Array(new SharedArrayBuffer(16));
/** Of V8 itself; TypeScript has it with ES2024. */
interface WithWaitAsync {
  waitAsync(memory: Int32Array, at: number, value: number, ms: number): { value: Promise<string> };
}

const waitFor = (...args: unknown[]) => (Atomics.wait as (...args: unknown[]) => string)(...args);

const at = (title: string, call: () => unknown, parks?: boolean): Row =>
  parks === undefined ? { title, call } : { title, call, parks };

const notShared = ['Int8Array', 'Uint8Array', 'Uint32Array', 'Float64Array'] as const;

const rows: Row[] = [
  at('Int32Array, time is up', () => waitFor(i32(), 0, 0, 5)),
  at('BigInt64Array, time is up', () => waitFor(i64(), 1, 0n, 5)),
  at('another value', () => waitFor(i32(), 0, 1), false),
  at('another value, 64 bits', () => waitFor(i64(), 0, 1n), false),
  at('no time', () => waitFor(i32(), 0, 0, 0), false),
  at('less than no time', () => waitFor(i32(), 0, 0, -5), false),
  at('no time at all', () => waitFor(i32(), 0, 0, Number.NEGATIVE_INFINITY), false),
  at('time as a string', () => waitFor(i32(), 0, 0, '5')),
  at('time null', () => waitFor(i32(), 0, 0, null), false),
  at('a fraction of a millisecond', () => waitFor(i32(), 0, 0, 0.5)),
  at('value as a string', () => waitFor(i32(), 0, '0', 5)),
  at('value undefined', () => waitFor(i32(), 0, undefined, 5)),
  at('value beyond 32 bits', () => waitFor(i32(), 0, 2 ** 32, 5)),
  at('value beyond 64 bits', () => waitFor(i64(), 0, 2n ** 64n, 5)),
  at('index as a string', () => waitFor(i32(), '1', 0, 5)),
  at('index with a fraction', () => waitFor(i32(), 1.5, 0, 5)),
  at('index beyond the end', () => waitFor(i32(), 4, 0, 5), false),
  at('index below 0', () => waitFor(i32(), -1, 0, 5), false),
  at('time as a BigInt', () => waitFor(i32(), 0, 0, 1n), false),
  at('time as a symbol', () => waitFor(i32(), 0, 0, Symbol('5')), false),
  at('value as a BigInt', () => waitFor(i32(), 0, 0n, 5), false),
  at('value as a number', () => waitFor(i64(), 0, 0, 5), false),
  at('not shared', () => waitFor(new Int32Array(4), 0, 0, 5), false),
  at('not shared, 64 bits', () => waitFor(new BigInt64Array(4), 0, 0n, 5), false),
  ...notShared.map((name) =>
    at(
      name,
      () => waitFor(new globalThis[name](new SharedArrayBuffer(8) as never), 0, 0, 5),
      false,
    ),
  ),
  at('no array', () => waitFor({}, 0, 0, 5), false),
  at('nothing', () => waitFor(), false),
];

describe('as unpatched', () => {
  testTable({ file: import.meta.url, patch: patchAtomics }, rows);
});

describe('in greenlets', () => {
  after(() => restore('atomics'));

  const patched = (body: () => void) => async () => {
    patchAtomics();
    await run(body);
  };

  /** Lets those run who wait for a promise of V8: another turn of the event loop or two. */
  const settle = () => {
    for (let turn = 0; turn < 5; turn++) wait(new Promise((resolve) => setImmediate(resolve)));
  };

  test(
    'are woken in the order in which they came',
    patched(() => {
      const memory = i32();
      const woken: number[] = [];
      const waiting = [0, 1, 2].map((n) =>
        spawn(() => {
          assert.equal(Atomics.wait(memory, 0, 0), 'ok');
          woken.push(n);
        }),
      );
      sleep(0);
      assert.equal(Atomics.notify(memory, 0, 2), 2);
      joinall(waiting.slice(0, 2));
      assert.deepEqual(woken, [0, 1]);
      assert.equal(Atomics.notify(memory, 0), 1);
      joinall(waiting);
      assert.deepEqual(woken, [0, 1, 2]);
    }),
  );

  test(
    'nothing is handed to the dead: the next one gets it',
    patched(() => {
      const memory = i32();
      const killed = spawn(() => Atomics.wait(memory, 0, 0));
      const late = spawn(() => {
        using _limit = Timeout.startNew(1);
        return Atomics.wait(memory, 0, 0);
      });
      late.link(() => {});
      sleep(0);
      const next = spawn(() => Atomics.wait(memory, 0, 0));
      sleep(0);
      killed.kill();
      joinall([late]);
      assert.ok(late.exception instanceof Timeout);
      assert.equal(Atomics.notify(memory, 0, 1), 1);
      assert.equal(next.get(), 'ok');
      settle();
      assert.equal(Atomics.notify(memory, 0), 0, 'none is left');
    }),
  );

  test('time is that of the hub', async () => {
    patchAtomics();
    using clock = VirtualClock.install();
    await run(() => {
      const memory = i32();
      assert.equal(Atomics.wait(memory, 0, 0, 3_600_000), 'timed-out');
      assert.equal(clock.now(), 3_600_000);
      // V8's own time limit passes in real time; the greenlet waits on.
      clock.autoJump = false;
      const waiting = spawn(() => Atomics.wait(memory, 1, 0, 5));
      sleep(0);
      // One of V8's own that begins later: when its time is over, so is that of the other.
      const control = (Atomics as unknown as WithWaitAsync).waitAsync(memory, 2, 0, 5);
      assert.equal(wait(control.value), 'timed-out');
      settle();
      assert.equal(waiting.dead, false);
      assert.equal(Atomics.notify(memory, 1), 1);
      assert.equal(waiting.get(), 'ok');
    });
  });

  test('those who gave up do not pile up, and what wakes them reaches who still waits', async () => {
    patchAtomics();
    using clock = VirtualClock.install();
    await run(() => {
      const memory = i32();
      const count = 10_000;
      for (let n = 0; n < count; n++) Atomics.wait(memory, 0, 0, 10);
      assert.equal(clock.now(), 10 * count);
      for (let n = 0; n < 100; n++) {
        const killed = spawn(() => Atomics.wait(memory, 0, 0));
        sleep(0);
        killed.kill();
      }
      const waiting = [1, 2, 3].map(() => spawn(() => Atomics.wait(memory, 0, 0)));
      sleep(0);
      for (const _ of waiting) Atomics.notify(memory, 0, 1);
      for (const one of waiting) assert.equal(one.get(), 'ok');
      settle();
      const left = Atomics.notify(memory, 0);
      assert.ok(left <= 12, `${left} waiters are left of ${count}`);
    });
  });

  test(
    'a mutex of Atomics excludes greenlets and threads from each other',
    patched(() => {
      // [lock, counter]: 0 free, 1 taken, 2 taken and somebody waits (Drepper, "Futexes are tricky").
      const memory = i32();
      const rounds = 200;
      const contend = `
        for (let n = 0; n < rounds; n++) {
          let seen = Atomics.compareExchange(memory, 0, 0, 1);
          if (seen !== 0) {
            if (seen !== 2) seen = Atomics.exchange(memory, 0, 2);
            while (seen !== 0) { Atomics.wait(memory, 0, 2); seen = Atomics.exchange(memory, 0, 2); }
          }
          const before = memory[1];
          pause();
          memory[1] = before + 1;
          if (Atomics.exchange(memory, 0, 0) === 2) Atomics.notify(memory, 0, 1);
        }`;
      const worker = new Worker(
        `const { memory, rounds } = require('node:worker_threads').workerData; const pause = () => {}; ${contend}`,
        { eval: true, workerData: { memory, rounds } },
      );
      const exited = once(worker, 'exit');
      const work = new Function('memory', 'rounds', 'pause', contend);
      const greenlets = [1, 2, 3].map(() => spawn(() => work(memory, rounds, () => sleep(0))));
      for (const one of greenlets) one.get();
      wait(exited);
      assert.equal(memory[1], 4 * rounds);
    }),
  );

  test(
    'a thread wakes them, and they keep the process alive meanwhile',
    patched(() => {
      const memory = i32();
      const worker = new Worker(
        `const { workerData } = require('node:worker_threads');
         Atomics.wait(workerData, 1, 0);
         Atomics.store(workerData, 0, 1);
         Atomics.notify(workerData, 0);`,
        { eval: true, workerData: memory },
      );
      const exited = once(worker, 'exit');
      worker.unref();
      const waiting = spawn(() => Atomics.wait(memory, 0, 0));
      sleep(0);
      Atomics.store(memory, 1, 1);
      Atomics.notify(memory, 1);
      assert.equal(waiting.get(), 'ok');
      worker.ref();
      wait(exited);
    }),
  );

  /** Whether a thread that came before a greenlet was woken before it. */
  function threadWasFirst(pause: number): boolean {
    const memory = i32();
    // [place, thread is about to wait, thread has been woken]
    const worker = new Worker(
      `const { workerData } = require('node:worker_threads');
       Atomics.store(workerData, 1, 1);
       Atomics.notify(workerData, 1);
       Atomics.wait(workerData, 0, 0);
       Atomics.store(workerData, 2, 1);`,
      { eval: true, workerData: memory },
    );
    const exited = once(worker, 'exit');
    const first = spawn(() => Atomics.wait(memory, 0, 0));
    sleep(0);
    Atomics.wait(memory, 1, 0);
    sleep(pause);
    const last = spawn(() => Atomics.wait(memory, 0, 0));
    sleep(0);
    Atomics.notify(memory, 0, 1);
    assert.equal(first.get(), 'ok');
    Atomics.notify(memory, 0, 1);
    while (!last.dead && memory[2] === 0) sleep(1);
    const result = !last.dead;
    Atomics.notify(memory, 0, 1);
    assert.equal(last.get(), 'ok');
    wait(exited);
    return result;
  }

  test(
    'first come, first served, between greenlets and threads',
    patched(() => {
      // Nothing tells from outside that a thread stands in line: it gets time, and more if need be.
      assert.ok([50, 500, 5000].some(threadWasFirst));
    }),
  );
});
