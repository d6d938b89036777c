/** Asker: greenlets that keep asking while servers come and go, and what they were told. */
import assert from 'node:assert/strict';
import { joinall, sleep, spawn, withTimeout } from '@tendril/core';

/** Milliseconds by which an answer may be late, besides what {@link Lateness} has seen. */
const slack = 2500;
/** Milliseconds: commandOptions.timeout. */
const defaultTimeout = 5000;
const greenlets = 5;
/** Milliseconds: stands for "hangs", also on a machine that others keep busy. */
const hangs = 60_000;

/** Adds up by how much a greenlet that only sleeps wakes too late: what a busy machine takes from everybody here. */
class Lateness implements Disposable {
  static readonly #nap = 20;
  #sum = 0;
  #since = performance.now();
  readonly #watching = spawn(() => {
    for (;;) {
      this.#since = performance.now();
      sleep(Lateness.#nap);
      this.#sum = this.ms;
    }
  });

  /** Milliseconds so far. */
  get ms(): number {
    return this.#sum + Math.max(0, performance.now() - this.#since - Lateness.#nap);
  }

  [Symbol.dispose](): void {
    this.#watching.kill({ block: false });
  }
}

/** Counts, and says its argument. */
const script = "redis.call('INCR', KEYS[1]) return ARGV[1]";

/** What `fn` fails with; undefined if it does not. */
export function failure(fn: () => unknown): (Error & { code?: string }) | undefined {
  try {
    fn();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** Commands for a server that is gone: all fail `timeout` milliseconds after they were given. */
export function failInTime([first, ...others]: (() => unknown)[], timeout: number): void {
  using late = new Lateness();
  const fail = (each: (() => unknown) | undefined) => {
    const [since, lateBefore] = [performance.now(), late.ms];
    const error = failure(() => each?.());
    const took = performance.now() - since - (late.ms - lateBefore);
    assert.ok(took < timeout + slack, `it took ${took} ms`);
    return error;
  };
  // What was on its way when the connection broke fails with it; so may the first.
  assert.ok(fail(first));
  const rest = others.map((each) => spawn(fail, each));
  for (const each of rest) assert.equal(each.get()?.code, 'ERR_REDIS_OFFLINE');
}

type Ask = (args: string[]) => unknown;

export class Asker {
  answers = 0;
  #asked = 0;
  #stopped = false;
  readonly #late = new Lateness();
  readonly #ask: Ask;
  readonly #key: string;
  readonly #asking;

  constructor(key: string, ask: Ask) {
    this.#key = key;
    this.#ask = ask;
    this.#asking = Array.from({ length: greenlets }, () => spawn(() => this.#run()));
  }

  #run(): void {
    while (!this.#stopped) {
      const id = `id${this.#asked++}`;
      const [since, lateBefore] = [performance.now(), this.#late.ms];
      try {
        assert.equal(this.#ask(['EVAL', script, '1', this.#key, id]), id);
        this.answers++;
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        const { code, name, message } = error as Error & { code?: string };
        const known = code !== undefined || /^CLUSTERDOWN /.test(message);
        assert.ok(known, `an error with a code: ${name}: ${message}`);
      }
      const took = performance.now() - since - (this.#late.ms - lateBefore);
      assert.ok(took < defaultTimeout + slack, `it took ${took} ms`);
      sleep(2);
    }
  }

  /** Parks until `count` more have been answered. */
  untilAnswers(count: number): void {
    const goal = this.answers + count;
    withTimeout(2 * hangs, () => {
      while (this.answers < goal) {
        const failed = this.#asking.find((each) => each.dead);
        if (failed) throw failed.exception ?? new Error('It has ended.');
        sleep(5);
      }
    });
  }

  /** Ends it, and compares with what the servers have counted. */
  stop(counted: () => unknown): void {
    this.#stopped = true;
    joinall(this.#asking, { raiseError: true, timeout: hangs });
    this.#late[Symbol.dispose]();
    const count = Number(counted());
    assert.ok(count <= this.#asked, `${this.#asked} asked, ${count} counted: none twice`);
  }
}
