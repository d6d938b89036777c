/**
 * Rounds of everything that comes and goes, beside things that live for ever: the live heap does not grow.
 * `npm run test:long` goes on for ten minutes; otherwise some rounds are counted.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AsyncResult,
  Event,
  type Greenlet,
  iwait,
  joinall,
  killall,
  Local,
  Pool,
  Queue,
  run,
  sleep,
  spawn,
  spawnLater,
  Timeout,
  wait,
  withTimeout,
} from '@tendril/core';
import { leaveNothing } from './helpers.js';

leaveNothing();

const gc = globalThis.gc as () => void;
const long = process.env.TENDRIL_TEST_LONG === '1';

/** Bytes that are in use when all that nobody can reach is gone. */
function liveHeap(): number {
  for (let i = 0; i < 4; i++) {
    sleep(2); // what a WeakRef gave away in a turn is kept until its end
    gc();
  }
  return process.memoryUsage().heapUsed;
}

/** What lives as long as a program. */
class World {
  readonly shutdown = new Promise<never>(() => {});
  readonly stop = new Event();
  readonly result = new AsyncResult();
  readonly queue = new Queue<object>();
  readonly abort = new AbortController();
  readonly forever: Greenlet = spawn(() => this.stop.wait()) as Greenlet;
  readonly pool = new Pool(20);
  readonly local = new Local<object>();
}

function round(world: World): void {
  // Waits that end before what they wait for.
  const waits: ((ms: number) => unknown)[] = [
    (timeout) => wait(world.shutdown, { timeout }),
    (timeout) => world.stop.wait({ timeout }),
    (timeout) => world.result.wait({ timeout }),
    (timeout) => world.forever.join({ timeout }),
    (timeout) => joinall([world.forever, world.stop, world.result], { timeout }),
    (timeout) => world.queue.get({ timeout }),
  ];
  const waiting = Array.from({ length: 120 }, (_, i) =>
    spawn(() => {
      new Local<object>().set({ some: new Array(20).fill(i) });
      world.local.set({ i });
      try {
        waits[i % waits.length]?.(i % 2);
      } catch {
        // the time is up
      }
    }),
  );
  joinall(waiting);
  // Killed while they wait, while they have not begun, and by a signal that lives on.
  const killed = Array.from({ length: 60 }, (_, i) => {
    const one = i % 3 === 0 ? spawnLater(1000, () => {}) : spawn(() => wait(world.shutdown));
    one.killOn(world.abort.signal);
    return one as Greenlet;
  });
  sleep(0);
  killall(killed);
  // A job that spawns its successor.
  const done = new Event();
  const job = (left: number): void => {
    if (left > 0) spawn(job, left - 1);
    else done.set();
  };
  spawn(job, 30);
  done.wait();
  // Timeouts that nobody cancels, links, failures that somebody takes, pools, what is left in the middle.
  const lazy = Array.from({ length: 30 }, (_, i) =>
    spawn(() => {
      Timeout.startNew(60_000);
      if (i % 5 === 0) throw new Error('taken');
      return i;
    }),
  );
  for (const one of lazy) {
    one.link(() => {});
    one.linkException(() => {});
    const gone = () => {};
    one.link(gone);
    one.unlink(gone);
  }
  joinall(lazy);
  world.pool.map((n) => {
    sleep(0);
    return n + 1;
  }, Array(40).keys());
  for (const value of world.pool.imapUnordered((n) => n, [1, 2, 3])) if (value > 1) break;
  iwait([world.stop, spawn(() => {})], { timeout: 60_000 }).next();
  withTimeout(1000, () => wait(Promise.resolve()));
  world.local.set({});
  new Local<object>().set(new Array(100).fill(0));
  wait(Promise.resolve().then(() => new Local<object>().set(new Array(100).fill(0))));
}

test('the live heap does not grow', { timeout: 15 * 60_000 }, (context) =>
  run(() => {
    const world = new World();
    let first: number;
    let rounds = 0;
    if (long) {
      const begin = performance.now();
      const until = (minutes: number) => {
        while (performance.now() - begin < minutes * 60_000) {
          round(world);
          rounds++;
        }
        return liveHeap();
      };
      first = until(2);
      const last = until(10);
      context.diagnostic(`${rounds} rounds: ${first} bytes after two minutes, ${last} after ten`);
      assert.ok(last < first * 1.05, `${first} bytes after two minutes, ${last} after ten`);
    } else {
      // Code and its feedback settle in the first rounds.
      for (; rounds < 60; rounds++) round(world);
      first = liveHeap();
      for (; rounds < 160; rounds++) round(world);
      const last = liveHeap();
      assert.ok(last < first * 1.1, `${first} bytes after 60 rounds, ${last} after ${rounds}`);
    }
    world.stop.set();
    world.forever.join();
  }),
);
