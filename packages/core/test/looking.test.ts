/** Looking at greenlets, and being told of their errors, must change nothing. */
import assert from 'node:assert/strict';
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { afterEach, describe, test } from 'node:test';
import { Event, type Greenlet, getCurrent, getHub, run, sleep, spawn } from '@tendril/core';
import { Coroutine } from '@tendril/core/coroutine';
import { inGreenlet, leaveNothing, twoTurns } from './helpers.js';
import { until } from './io-helpers.js';

leaveNothing();

const hub = getHub();

/** A greenlet that parks in `standsHere` until it is let go. */
function parked(gate: Event): Greenlet<string> {
  return spawn(function standsHere() {
    gate.wait();
    sleep(1);
    return 'went on';
  });
}

describe('stack() shows where a greenlet stands', () => {
  test('from a greenlet, the main stack, a timer, a coroutine, when it is ready, and again', async () => {
    const gate = new Event();
    const seen: string[] = [];
    const greenlet = parked(gate);
    const look = () => seen.push(greenlet.stack());
    await run(() => {
      sleep(0);
      look();
      new Coroutine(look).resume();
      hub.clock.setTimer(1, look);
      until(() => seen.length === 3);
      gate.set();
      look();
    });
    assert.equal(seen.length, 4);
    for (const stack of seen) assert.match(stack, /Event\.wait[\s\S]*standsHere/);
    assert.equal(await greenlet.toPromise(), 'went on');
  });

  test('from a link and a callback that are called on the very stack of that greenlet', async () => {
    const gate = new Event();
    const seen: string[] = [];
    await run(() => {
      const first = spawn(() => 1);
      const third = parked(gate);
      first.link(() => seen.push(third.stack()));
      hub.schedule(() => hub.schedule(() => seen.push(third.stack())));
      until(() => seen.length === 2);
      gate.set();
      assert.equal(third.get(), 'went on');
    });
    for (const stack of seen) assert.match(stack, /Event\.wait[\s\S]*standsHere/);
    assert.equal(seen.length, 2);
  });

  test(
    'inside AsyncResource scopes and inside a coroutine',
    inGreenlet(() => {
      const gate = new Event();
      const inScope = spawn(function standsHere() {
        return new AsyncResource('Test').runInAsyncScope(() => gate.wait());
      });
      const coroutine = new Coroutine(function standsHere() {
        gate.wait();
      });
      coroutine.resume();
      sleep(0);
      for (const greenlet of [inScope, coroutine.greenlet])
        assert.match(greenlet?.stack() ?? '', /Event\.wait[\s\S]*standsHere/);
      gate.set();
      assert.equal(inScope.get(), true);
      sleep(0);
      assert.equal(coroutine.state, 'done');
    }),
  );
});

describe('stack() is empty and harmless', () => {
  test(
    'for one that runs, that resumes a coroutine, that is suspended by hand, or has ended',
    inGreenlet(() => {
      const seen: (string | undefined)[] = [];
      const greenlet: Greenlet = spawn(() => {
        seen.push(greenlet.stack());
        const outer = new Coroutine(() => {
          seen.push(greenlet.stack());
          new Coroutine(() => seen.push(greenlet.stack(), outer.greenlet?.stack())).resume();
          Coroutine.suspend();
        });
        outer.resume();
        seen.push(outer.greenlet?.stack());
        sleep(1);
        seen.push(outer.greenlet?.stack());
        outer.resume();
        assert.equal(outer.state, 'done');
        return 'went on';
      });
      assert.equal(greenlet.stack(), '');
      assert.equal(greenlet.get(), 'went on');
      assert.deepEqual([...seen, greenlet.stack()], ['', '', '', '', '', '', '']);
    }),
  );

  test("under a program's own Error.prepareStackTrace", async () => {
    const gate = new Event();
    const greenlet = parked(gate);
    const { prepareStackTrace, stackTraceLimit } = Error;
    await run(() => {
      sleep(0);
      try {
        Error.prepareStackTrace = (_, sites) => sites;
        assert.equal(greenlet.stack(), '');
        Error.prepareStackTrace = () => {
          sleep(1);
          throw new Error('prepare');
        };
        assert.equal(greenlet.stack(), '');
        Error.prepareStackTrace = () => `\nlength ${greenlet.stack().length}`;
        assert.match(greenlet.stack(), /^length \d+$/);
        Error.prepareStackTrace = prepareStackTrace;
        Error.stackTraceLimit = 0;
        assert.equal(greenlet.stack(), '');
        Object.assign(Error, { stackTraceLimit: undefined });
        assert.equal(greenlet.stack(), '');
      } finally {
        Object.assign(Error, { prepareStackTrace, stackTraceLimit });
      }
      assert.match(greenlet.stack(), /standsHere/);
      gate.set();
      assert.equal(greenlet.get(), 'went on');
    });
  });
});

describe('an error that nobody collects', () => {
  const { onError } = hub;
  const { write } = process.stderr;
  afterEach(() => {
    hub.onError = onError;
    process.stderr.write = write;
  });

  /** What is printed when `body` has run in a greenlet, by `print` in place of Node's. */
  async function printed(body: () => void, print: () => void = () => {}): Promise<string> {
    let text = '';
    process.stderr.write = ((chunk: string) => {
      text += chunk;
      print();
      return true;
    }) as typeof write;
    await run(() => {
      const others = [1, 2].map(() => spawn(() => sleep(2)));
      body();
      until(() => text !== ''); // none of these parks throws
      twoTurns();
      for (const other of others) other.get();
    });
    return text;
  }

  const sources: Record<string, (error: Error) => void> = {
    'a link': (error) => spawn(() => 1).link(thrower(error)),
    'a link of an event': (error) => {
      const event = new Event();
      event.link(thrower(error));
      event.set();
    },
    'a callback of the hub': (error) => hub.schedule(thrower(error)),
    'a greenlet': (error) => void spawn(thrower(error)),
    'a hook of its end': (error) => spawn(() => 1).onEnd(thrower(error)),
  };
  const thrower = (error: Error) => () => {
    throw error;
  };

  for (const [name, start] of Object.entries(sources)) {
    test(`of ${name} is printed with that of an onError that throws, and hits nobody else`, async () => {
      hub.onError = () => {
        throw new Error('from onError');
      };
      const text = await printed(() => start(new Error('the first')));
      assert.match(text, /the first[\s\S]*hub\.onError[\s\S]*from onError/);
    });

    test(`of ${name} comes to onError once, in its own context and outside greenlets`, async () => {
      const storage = new AsyncLocalStorage<string>();
      const seen: unknown[] = [];
      hub.onError = (error) => {
        seen.push((error as Error).message, storage.getStore(), getCurrent());
        sleep(1); // throws: there is no greenlet to park
      };
      const text = await printed(() => storage.run('alice', () => start(new Error('the first'))));
      assert.deepEqual(seen, ['the first', 'alice', undefined]);
      assert.match(text, /ERR_NOT_IN_GREENLET/);
    });
  }

  test('is printed even if it cannot be shown, and if nothing can be printed nobody is hit', async () => {
    const unshowable = {
      [Symbol.for('nodejs.util.inspect.custom')]: () => {
        throw new Error('inspect');
      },
    };
    const fail = () => {
      throw unshowable;
    };
    assert.match(
      await printed(() => hub.schedule(fail)),
      /callback of the hub:\n.*cannot be shown/,
    );
    const closed = () => {
      throw new Error('EPIPE');
    };
    await printed(() => hub.schedule(fail), closed);
  });
});
