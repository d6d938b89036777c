/** Asker: greenlets that keep asking while servers come and go, and what they were told. */
import assert from 'node:assert/strict';
import { joinall, sleep, spawn, withTimeout } from '@tendril/core';

/** Milliseconds by which a busy machine may be late. */
const slack = 2500;
/** Milliseconds: commandOptions.timeout. */
const defaultTimeout = 5000;
const greenlets = 5;

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
  const fail = (each: (() => unknown) | undefined) => {
    const since = performance.now();
    const error = failure(() => each?.());
    assert.ok(performance.now() - since < timeout + slack);
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
      const since = performance.now();
      try {
        assert.equal(this.#ask(['EVAL', script, '1', this.#key, id]), id);
        this.answers++;
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        const { code, name, message } = error as Error & { code?: string };
        const known = code !== undefined || /^CLUSTERDOWN /.test(message);
        assert.ok(known, `an error with a code: ${name}: ${message}`);
      }
      const took = performance.now() - since;
      assert.ok(took < defaultTimeout + slack, `it took ${took} ms`);
      sleep(2);
    }
  }

  /** Parks until `count` more have been answered. */
  untilAnswers(count: number): void {
    const goal = this.answers + count;
    withTimeout(40_000, () => {
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
    joinall(this.#asking, { raiseError: true, timeout: defaultTimeout + slack });
    const count = Number(counted());
    assert.ok(count <= this.#asked, `${this.#asked} asked, ${count} counted: none twice`);
  }
}
