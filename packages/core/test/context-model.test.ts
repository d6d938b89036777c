/**
 * Programs made by a seeded random generator: greenlets that park, spawn, link, map, kill and resume each
 * other, in contexts of three storages. What each piece of code must see is known where it is asked for,
 * and compared wherever it runs.
 */
import assert from 'node:assert/strict';
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { test } from 'node:test';
import {
  Event,
  type Greenlet,
  getCurrent,
  getHub,
  isExit,
  Pool,
  sleep,
  snapshotContext,
  spawn,
  spawnLater,
  wait,
  withTimeout,
} from '@tendril/core';
import { Coroutine } from '@tendril/core/coroutine';
import { inGreenlet, leaveNothing } from './helpers.js';

leaveNothing();

type Stores = readonly (string | undefined)[];

const storages = [0, 1, 2].map(() => new AsyncLocalStorage<string>());
const none: Stores = [undefined, undefined, undefined];

/** A linear congruential generator (Numerical Recipes). */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

class Program {
  readonly wrong: string[] = [];
  readonly #random: (below: number) => number;
  readonly #pool = new Pool(3);
  readonly #events = [new Event(), new Event(), new Event()];
  readonly #greenlets: Greenlet[] = [];
  readonly #kept: { enter: <R>(fn: () => R) => R; stores: Stores }[] = [];
  readonly #coroutines: Coroutine[] = [];
  #left = 250;
  #made = 0;

  constructor(seed: number) {
    this.#random = generator(seed);
  }

  run(): void {
    while (this.#left > 0) this.#live(none, 0);
    for (const event of this.#events) event.set();
    for (let one = this.#greenlets.pop(); one; one = this.#greenlets.pop()) one.kill();
    for (const coroutine of this.#coroutines) {
      while (coroutine.state === 'running') sleep(1);
      while (coroutine.state === 'suspended') coroutine.resume();
    }
    this.#pool.kill();
  }

  #check(stores: Stores, where: string): void {
    const seen = storages.map((storage) => storage.getStore());
    if (seen.join() !== stores.join()) this.wrong.push(`${where}: ${seen} in place of ${stores}`);
  }

  #pick<T>(from: readonly T[]): T | undefined {
    return from[this.#random(from.length)];
  }

  #live(stores: Stores, depth: number): void {
    this.#check(stores, 'start');
    for (let steps = 1 + this.#random(5); steps > 0; steps--) {
      if (this.#left-- <= 0) return;
      const name = depth > 4 ? 'park' : (this.#pick(Object.keys(this.#steps)) as string);
      this.#steps[name]?.(stores, depth + 1);
      this.#check(stores, name);
    }
  }

  /** For code that the hub calls. */
  #callback(stores: Stores, depth: number, where: string): () => void {
    return () => {
      this.#check(stores, where);
      if (getCurrent()) this.wrong.push(`${where} runs in a greenlet`);
      const greenlet = spawn(() => this.#live(stores, depth));
      if (greenlet.spawningGreenlet) this.wrong.push(`${where}: another's child`);
      this.#greenlets.push(greenlet);
    };
  }

  #item(stores: Stores, depth: number): () => void {
    const asker = getCurrent();
    return () => {
      if (getCurrent()?.spawningGreenlet !== asker) this.wrong.push("an item is another's child");
      this.#live(stores, depth);
    };
  }

  readonly #steps: Record<string, (stores: Stores, depth: number) => void> = {
    park: () => sleep(this.#random(3)),
    promise: () => wait(Promise.resolve()),
    timer: () => wait(new Promise<void>((resolve) => setImmediate(resolve))),
    timeout: () => withTimeout(1, () => sleep(1 + this.#random(2)), { value: undefined }),
    run: (stores, depth) => {
      const at = this.#random(3);
      const entered = this.#random(2) === 1;
      const values = [`${++this.#made}`, `${++this.#made}`];
      storages[at]?.run(values[0] as string, () => {
        if (entered) storages[at]?.enterWith(values[1] as string);
        this.#live(stores.with(at, values[Number(entered)]), depth);
      });
    },
    exit: (stores, depth) => {
      const at = this.#random(3);
      storages[at]?.exit(() => this.#live(stores.with(at, undefined), depth));
    },
    spawn: (stores, depth) => {
      this.#greenlets.push(spawn(() => this.#live(stores, depth)));
    },
    later: (stores, depth) => {
      this.#greenlets.push(spawnLater(this.#random(4), () => this.#live(stores, depth)));
    },
    link: (stores, depth) => {
      this.#pick(this.#greenlets)?.link(this.#callback(stores, depth, 'a link'));
    },
    eventLink: (stores, depth) => {
      this.#pick(this.#events)?.link(this.#callback(stores, depth, 'a link of an event'));
    },
    set: () => this.#pick(this.#events)?.set(),
    clear: () => this.#pick(this.#events)?.clear(),
    schedule: (stores, depth) => {
      getHub().schedule(this.#callback(stores, depth, 'a callback'));
    },
    clock: (stores, depth) => {
      getHub().clock.setTimer(1, this.#callback(stores, depth, 'a timer'));
    },
    map: (stores, depth) => {
      // Items that wait for the pool's room themselves would wait for ever.
      if (depth < 3) this.#pool.map(this.#item(stores, 5), [1, 2, 3, 4]);
    },
    imap: (stores, depth) => {
      const program = this;
      function* input() {
        for (let i = 0; i < 4; i++) {
          program.#check(stores, 'the input');
          sleep(program.#random(2));
          yield i;
        }
      }
      if (depth < 3) for (const _ of this.#pool.imap(this.#item(stores, 5), input()));
    },
    applyAsync: (stores) => {
      this.#greenlets.push(this.#pool.applyAsync(this.#item(stores, 5)));
    },
    keep: (stores) => {
      const resource = new AsyncResource('Test');
      const enter =
        this.#random(2) === 1
          ? snapshotContext()
          : <R>(fn: () => R): R => resource.runInAsyncScope(fn) as R;
      this.#kept.push({ enter, stores });
    },
    enter: (_, depth) => {
      const kept = this.#pick(this.#kept);
      kept?.enter(() => this.#live(kept.stores, depth));
    },
    coroutine: (stores, depth) => {
      const coroutine = new Coroutine(() => {
        for (let i = 0; i < 3; i++) {
          this.#live(stores, depth + 1);
          Coroutine.suspend();
          this.#check(stores, 'a coroutine');
        }
      });
      this.#coroutines.push(coroutine);
      coroutine.resume();
    },
    resume: () => {
      const coroutine = this.#pick(this.#coroutines);
      if (coroutine?.state === 'suspended') coroutine.resume();
    },
    kill: () => {
      const greenlet = this.#pick(this.#greenlets);
      if (greenlet !== getCurrent()) greenlet?.kill({ block: false });
    },
  };
}

test(
  'code sees the context of who asked for it, whatever has run in between',
  inGreenlet(() => {
    for (let seed = 1; seed <= 60; seed++) {
      const program = new Program(seed);
      const main = spawn(() => program.run());
      try {
        main.get();
      } catch (error) {
        if (!isExit(error)) throw error;
      }
      assert.deepEqual(program.wrong.slice(0, 5), [], `with seed ${seed}`);
    }
  }),
);
