/** The suite: describeAdapter() makes the tests that every adapter must pass. */
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { after, before, describe, test } from 'node:test';
import { isExit, joinall, run, sleep, spawn, Timeout, withTimeout } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import type { Adapter, Observer, OpenOptions, Subject } from './contract.js';
import { type Gate, openGate, type Target } from './gate.js';
import type { Service } from './service.js';

/** A greenlet must go on within so many turns of the hub after its kill or timeout: no answer comes in these. */
const promptly = 10;
/** Milliseconds for what ends by itself only after 30 seconds: none of them is about how long it takes. */
const inTime = 15_000;

/** Looks again until it holds. @throws Error that says what did not, in time */
export function eventually(
  what: string | (() => string),
  holds: () => boolean,
  limit = inTime,
): void {
  const deadline = performance.now() + limit;
  while (!holds()) {
    if (performance.now() > deadline)
      assert.fail(`not in time: ${typeof what === 'string' ? what : what()}`);
    sleep(5);
  }
}

/** False where it fails, or gets another's answer. */
function answers(id: string, ask: (id: string) => string): boolean {
  try {
    return ask(id) === id;
  } catch {
    return false;
  }
}

class Bench {
  service!: Service;
  gate!: Gate;
  observer!: Observer;
  readonly #adapter: Adapter;

  constructor(adapter: Adapter) {
    this.#adapter = adapter;
  }

  async start(): Promise<void> {
    this.service = await this.#adapter.start();
    this.gate = await openGate(this.service);
    await run(() => {
      this.observer = this.#adapter.observe(this.service);
    });
  }

  async stop(): Promise<void> {
    await run(() => this.observer?.close());
    await this.gate?.close();
    await this.service?.stop();
    await checkLeaks();
  }

  /** A test's body with a subject of its own, closed at the end whatever happens. */
  with(options: Partial<OpenOptions> & { through?: 'gate' }, body: (subject: Subject) => void) {
    const { through, ...rest } = options;
    return () =>
      run(() => {
        const at: Target = through ? this.gate : this.service;
        const subject = this.#adapter.open(at, { size: 5, ...rest });
        try {
          withTimeout(60_000, () => body(subject));
        } finally {
          this.gate.thaw();
          this.gate.slow(0);
          subject.close(1000);
        }
        // A server may look only every five seconds whether a client that it works for is still there.
        const none = () => this.observer.sessions() === 0;
        eventually('no session is left on the server', none, 2 * inTime);
      }) as Promise<void>;
  }
}

/** How a greenlet in `work` ends when it is killed or timed out after `ms` milliseconds. */
function interrupt(how: 'kill' | 'timeout', ms: number, work: () => unknown): void {
  let fired = () => false;
  const greenlet = spawn(() => {
    if (how === 'kill') return work();
    using limit = Timeout.startNew(ms);
    fired = () => !limit.pending;
    try {
      return work();
    } catch (error) {
      assert.equal(error, limit, 'the very Timeout comes out, and no error of the driver');
      return 'timed out';
    }
  });
  sleep(ms);
  if (how === 'kill') greenlet.kill({ block: false });
  else while (!fired()) sleep(1);
  for (let turn = 0; turn < promptly && !greenlet.dead; turn++) sleep(0);
  assert.ok(greenlet.dead, 'the greenlet went on at once');
  if (how === 'kill') assert.ok(isExit(greenlet.value), 'it ended by its exit');
  else assert.equal(greenlet.get(), 'timed out');
}

export function describeAdapter(adapter: Adapter): void {
  const bench = new Bench(adapter);
  const ids = Array.from({ length: 200 }, (_, i) => `id-${i}`);

  describe(`${adapter.name}: what every adapter must pass`, () => {
    before(() => bench.start());
    after(() => bench.stop());

    test(
      'waiting parks: 200 greenlets over a pool of 5, each gets its own answer, side by side',
      bench.with({ size: 5 }, (subject) => {
        let ticks = 0;
        const ticker = spawn(() => {
          for (;;) {
            sleep(1);
            ticks++;
          }
        });
        const since = performance.now();
        for (let i = 0; i < 10; i++) subject.slow('alone', 20);
        const alone = (performance.now() - since) / 10;
        ticks = 0;
        const all = ids.map((id) => spawn(() => subject.slow(id, 20)));
        joinall(all);
        const took = performance.now() - since - 10 * alone;
        ticker.kill();
        assert.deepEqual(
          all.map((each) => each.get()),
          ids,
        );
        assert.ok(subject.size <= 5, `${subject.size} connections`);
        assert.ok(took < 150 * alone, `${took} ms, and ${alone} for one: not one after the other`);
        // No answer can come before the loop has turned, and a timer that is due comes before it.
        assert.ok(ticks > 0, 'nobody ran meanwhile');
      }),
    );

    test(
      'an error of the network or the server shows the greenlet that asked',
      bench.with({ size: 1, through: 'gate' }, (subject) => {
        subject.echo('first');
        bench.gate.freeze();
        const asker = spawn(() => {
          try {
            return subject.echo('unanswered');
          } catch (error) {
            return error;
          }
        });
        eventually('it has asked', () => asker.stack() !== '');
        bench.gate.cut();
        bench.gate.thaw();
        const error = asker.get();
        assert.ok(error instanceof Error);
        // The adapter's tests call the adapter; this suite counts as one of our own packages.
        assert.match(String(error.stack), /\.test-build/);
      }),
    );

    for (const how of ['kill', 'timeout'] as const) {
      test(
        `${how} in the middle of an operation stops it on the server; the next one is right`,
        bench.with({ size: 2 }, (subject) => {
          for (let round = 0; round < 3; round++) {
            interrupt(how, 100, () => subject.slow('interrupted', 30_000));
            eventually('the server has stopped', () => bench.observer.running() === 0);
            const next = Array.from({ length: 6 }, (_, i) => spawn(() => subject.echo(`n${i}`)));
            for (const [i, each] of next.entries()) assert.equal(each.get(), `n${i}`);
          }
        }),
      );

      test(
        `${how} while waiting for a connection costs nobody anything`,
        bench.with({ size: 1 }, (subject) => {
          const holder = spawn(() => subject.slow('holder', 400));
          eventually('it is in use', () => bench.observer.running() === 1);
          interrupt(how, 50, () => subject.slow('in line', 30_000));
          assert.equal(subject.waiting, 0);
          assert.equal(holder.get(), 'holder');
          assert.equal(subject.echo('next'), 'next');
          assert.ok(subject.size <= 1);
        }),
      );

      test(
        `${how} while connecting and authenticating leaves nothing behind`,
        bench.with({ size: 1, through: 'gate' }, (subject) => {
          for (const ms of [1, 30, 60, 90, 120]) {
            bench.gate.slow(25);
            bench.gate.cut();
            sleep(30);
            interrupt(how, ms, () => subject.slow('connecting', 30_000));
            bench.gate.slow(0);
            assert.equal(subject.echo('next'), 'next');
            assert.ok(subject.size <= 1);
          }
        }),
      );

      test(
        `${how} in a transaction rolls it back`,
        bench.with({ size: 1 }, (subject) => {
          if (!subject.slowInTransaction) return;
          interrupt(how, 100, () => subject.slowInTransaction?.('interrupted', 30_000));
          eventually('the server has stopped', () => bench.observer.running() === 0);
          assert.equal(subject.echo('next'), 'next');
        }),
      );

      test(
        `${how} in the middle of a stream ends it`,
        bench.with({ size: 1 }, (subject) => {
          if (!subject.stream) return;
          interrupt(how, 100, () => {
            for (const _ of subject.stream?.(10_000_000) ?? []) sleep(1);
          });
          assert.equal(subject.echo('next'), 'next');
        }),
      );
    }

    test(
      'leaving a stream early ends it',
      bench.with({ size: 1 }, (subject) => {
        if (!subject.stream) return;
        let count = 0;
        for (const _ of subject.stream(1_000_000)) if (++count === 10) break;
        assert.equal(subject.echo('next'), 'next');
      }),
    );

    test(
      'none that comes free in time is an error of its own',
      { skip: adapter.shared && 'its connections are shared' },
      bench.with({ size: 1, acquireTimeout: 100 }, (subject) => {
        // Connecting may take longer than that, but goes on for the next who asks.
        eventually('there is a connection', () => answers('first', (id) => subject.slow(id, 0)));
        const holder = spawn(() => subject.slow('holder', 1500));
        eventually('it is in use', () => bench.observer.running() === 1);
        assert.throws(() => subject.slow('late', 1), { code: 'ERR_ACQUIRE_TIMEOUT' });
        assert.equal(holder.get(), 'holder');
      }),
    );

    test(
      'a network that forwards nothing more is given up by a timeout, and not used again',
      bench.with({ size: 1, through: 'gate' }, (subject) => {
        assert.equal(subject.echo('before'), 'before');
        bench.gate.freeze();
        interrupt('timeout', 100, () => subject.slow('lost', 30_000));
        bench.gate.thaw();
        bench.gate.cut();
        eventually('it answers again', () => answers('after', (id) => subject.echo(id)));
      }),
    );

    test(
      'connections that break are errors for those who use them, and are made anew',
      bench.with({ size: 3, through: 'gate' }, (subject) => {
        const broken = [1, 2, 3].map((i) =>
          spawn(() => {
            try {
              subject.slow(`b${i}`, 30_000);
              return 'an answer';
            } catch {
              return 'an error';
            }
          }),
        );
        eventually('they are connected', () => bench.gate.connections > 0);
        // Those that were still connecting may try again.
        eventually('they have failed', () => {
          bench.gate.cut();
          return broken.every((each) => each.ready());
        });
        for (const each of broken) assert.equal(each.get(), 'an error');
        eventually('it answers again', () => answers('again', (id) => subject.echo(id)));
      }),
    );

    test(
      'a server that is killed and started again is found again',
      bench.with({ size: 3 }, (subject) => {
        assert.equal(subject.echo('before'), 'before');
        const during = spawn(() => {
          try {
            subject.slow('during', 30_000);
            return 'an answer';
          } catch {
            return 'an error';
          }
        });
        eventually('the server works', () => bench.observer.running() === 1);
        bench.observer.close();
        bench.service.kill();
        assert.equal(during.get({ timeout: inTime }), 'an error');
        bench.service.start();
        bench.observer = adapter.observe(bench.service);
        const echo = (id: string) => withTimeout(2000, () => subject.echo(id));
        eventually('it answers again', () => answers('after', echo), 2 * inTime);
      }),
    );

    test('a refused connection is an error with its code', () =>
      run(() => {
        const subject = adapter.open(
          { host: '127.0.0.1', port: 1 },
          { size: 1, acquireTimeout: 3000 },
        );
        assert.throws(
          () => subject.echo('x'),
          (error: { code?: string }) =>
            ['ECONNREFUSED', 'ERR_ACQUIRE_TIMEOUT'].includes(error.code ?? ''),
        );
        subject.close(1000);
      }) as Promise<void>);

    test('a wrong password is an error that says so', () =>
      run(() => {
        const { isAuthenticationError } = adapter;
        if (!isAuthenticationError) return;
        const subject = adapter.open(bench.service, {
          size: 1,
          password: 'wrong',
          acquireTimeout: 3000,
        });
        assert.throws(
          () => subject.echo('x'),
          (error) => isAuthenticationError(error),
        );
        subject.close(1000);
      }) as Promise<void>);

    test('close() with work in flight ends it, and turns away who comes after', () =>
      run(() => {
        const subject = adapter.open(bench.service, { size: 2 });
        const working = [1, 2, 3].map((i) =>
          spawn(() => {
            try {
              return subject.slow(`w${i}`, 30_000);
            } catch (error) {
              return error;
            }
          }),
        );
        eventually('the server works for two', () => bench.observer.running() >= 2);
        const since = performance.now();
        subject.close(200);
        for (const each of working) assert.ok(each.get({ timeout: inTime }) instanceof Error);
        assert.ok(performance.now() - since < inTime, 'long before what was asked for');
        assert.throws(() => subject.echo('late'));
        eventually('the server has stopped', () => bench.observer.running() === 0);
        eventually('no session is left', () => bench.observer.sessions() === 0);
      }) as Promise<void>);

    test(
      'AsyncLocalStorage is kept across every operation',
      bench.with({ size: 2 }, (subject) => {
        const storage = new AsyncLocalStorage<string>();
        const all = ids.slice(0, 20).map((id) =>
          spawn(() =>
            storage.run(id, () => {
              subject.echo(id);
              const first = storage.getStore();
              subject.slow(id, 1);
              return [first, storage.getStore()];
            }),
          ),
        );
        for (const [i, each] of all.entries()) assert.deepEqual(each.get(), [ids[i], ids[i]]);
      }),
    );

    test('outside a greenlet it throws ERR_NOT_IN_GREENLET', async () => {
      const subject = await run(() => adapter.open(bench.service, { size: 1 }));
      assert.throws(() => subject.echo('x'), { code: 'ERR_NOT_IN_GREENLET' });
      await run(() => subject.close());
    });
  });
}
