import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isExit, park, sleep, spawn, Timeout, TimeoutError, withTimeout } from '@tendril/core';
import { inGreenlet, leaveNothing } from './helpers.js';

leaveNothing();

describe('Timeout', () => {
  test(
    'throws itself, and aborts what it interrupts',
    inGreenlet((clock) => {
      let aborted = 0;
      const limit = Timeout.startNew(100);
      assert.ok(limit.pending);
      assert.throws(
        () => park(() => () => void aborted++),
        (e) => e === limit,
      );
      assert.equal(aborted, 1);
      assert.equal(clock.now(), 100);
      assert.ok(!limit.pending);
      assert.match(limit.stack as string, /timeout\.test/);
      assert.equal(TimeoutError, Timeout);
    }),
  );

  test(
    'throws an error of one’s own',
    inGreenlet(() => {
      const error = new Error('own');
      using _limit = Timeout.startNew(10, error);
      assert.throws(
        () => sleep(100),
        (e) => e === error,
      );
    }),
  );

  test(
    'ends with its block',
    inGreenlet(() => {
      {
        using _limit = Timeout.startNew(10);
        sleep(5);
      }
      sleep(100);
    }),
  );

  test(
    'without a time never fires, with 0 on the next turn',
    inGreenlet((clock) => {
      using _never = Timeout.startNew();
      sleep(1_000_000);
      const now = clock.now();
      using soon = Timeout.startNew(0);
      assert.throws(
        () => sleep(50),
        (e) => e === soon,
      );
      assert.equal(clock.now(), now);
    }),
  );

  test(
    'nested ones are told apart by identity',
    inGreenlet(() => {
      const outer = Timeout.startNew(50);
      const inner = Timeout.startNew(10);
      assert.throws(
        () => sleep(100),
        (e) => e === inner,
      );
      assert.throws(
        () => sleep(100),
        (e) => e === outer,
      );
      inner.cancel();
      outer.cancel();
    }),
  );

  test(
    'that fires in the turn of a wake-up or a kill loses nothing',
    inGreenlet(() => {
      const both = spawn(() => {
        using _limit = Timeout.startNew(10);
        sleep(10);
        return 'slept';
      });
      both.join();
      assert.ok(both.ready());
      const killed = spawn(() => {
        using _limit = Timeout.startNew(0);
        sleep(100);
      });
      killed.link(() => {});
      sleep(0);
      killed.kill();
      assert.ok(killed.dead);
      assert.ok(killed.exception instanceof Timeout || isExit(killed.value));
    }),
  );

  test(
    'withTimeout answers its own timeout only',
    inGreenlet(() => {
      assert.equal(
        withTimeout(10, () => sleep(100), { value: 'late' }),
        'late',
      );
      assert.equal(
        withTimeout(10, () => 'soon', { value: 'late' }),
        'soon',
      );
      assert.throws(() => withTimeout(10, () => sleep(100)), Timeout);
      const outer = Timeout.startNew(5);
      assert.throws(
        () => withTimeout(10, () => sleep(100), { value: 'late' }),
        (e) => e === outer,
      );
    }),
  );

  test(
    'refuses times that are none',
    inGreenlet(() => {
      for (const ms of [-1, Number.NaN, '5', null] as never[])
        assert.throws(() => new Timeout(ms), { code: 'ERR_INVALID_ARG' });
      assert.throws(() => sleep(-1), { code: 'ERR_INVALID_ARG' });
    }),
  );
});
