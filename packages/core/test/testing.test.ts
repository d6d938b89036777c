import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  InvalidArgumentError,
  NotInGreenletError,
  run,
  sleep,
  spawn,
  Timeout,
  wait,
} from '@tendril/core';
import {
  assertNoSwitch,
  checkLeaks,
  Sequencer,
  VirtualClock,
  waitAllParked,
} from '@tendril/core/testing';
import { inGreenlet, leaveNothing } from './helpers.js';

leaveNothing();

describe('Sequencer', () => {
  test(
    'positions come in order, by disposal or by body',
    inGreenlet(() => {
      const log: number[] = [];
      const seq = new Sequencer();
      const first = spawn(() => {
        {
          using _step = seq(0);
          log.push(0);
        }
        {
          using _step = seq(2);
          log.push(2);
        }
      });
      const second = spawn(() => seq.step(1, () => log.push(1)));
      first.join();
      second.join();
      assert.deepEqual(log, [0, 1, 2]);
    }),
  );

  test(
    'refuses bad and used positions, and breaks when a waiter is killed',
    inGreenlet(() => {
      const seq = new Sequencer();
      assert.throws(() => seq.step(-1, () => 0), InvalidArgumentError);
      assert.throws(() => seq.step(0.5, () => 0), InvalidArgumentError);
      seq.step(0, () => 0);
      assert.throws(() => seq.step(0, () => 0), /used once/);
      const killed = spawn(() => seq.step(2, () => 0));
      const later = spawn(() => seq.step(3, () => 0));
      sleep(0);
      killed.kill();
      assert.throws(() => later.get(), /sequence is broken/);
      assert.throws(() => seq.step(1, () => 0), /sequence is broken/);
    }),
  );
});

describe('VirtualClock', () => {
  test(
    'timers of one time fire in the order of their creation; cancelled ones do not',
    inGreenlet((clock) => {
      const log: string[] = [];
      for (const name of ['a', 'b', 'c']) clock.setTimer(5, () => log.push(name));
      clock.setTimer(5, () => log.push('cancelled')).cancel();
      clock.setTimer(1, () => log.push('early'));
      sleep(10);
      assert.deepEqual(log, ['early', 'a', 'b', 'c']);
      assert.equal(clock.now(), 10);
    }),
  );

  test(
    'without autoJump only advance() moves it',
    inGreenlet((clock) => {
      clock.autoJump = false;
      const sleeper = spawn(() => sleep(10));
      waitAllParked();
      clock.advance(9);
      waitAllParked();
      assert.equal(sleeper.ready(), false);
      clock.advance(1);
      sleeper.join();
      assert.equal(clock.now(), 10);
    }),
  );

  test(
    'does not jump while promise callbacks are still to run',
    inGreenlet(() => {
      const chain = async () => {
        for (let i = 0; i < 100; i++) await undefined;
        return 'done';
      };
      using _limit = new Timeout(1);
      assert.equal(wait(chain()), 'done');
    }),
  );
});

describe('checkLeaks', () => {
  test('names a greenlet that is left parked, where it is parked', async () => {
    using _clock = VirtualClock.install({ autoJump: false });
    let left: { kill(): void } | undefined;
    await assert.rejects(
      checkLeaks(() =>
        run(() => {
          left = spawn(function forgotten() {
            sleep(1e6);
          });
          sleep(0);
        }),
      ),
      /forgotten/,
    );
    await run(() => left?.kill());
    await checkLeaks();
  });

  test('names an open handle', async () => {
    const { createServer } = await import('node:net');
    const server = createServer();
    await assert.rejects(
      checkLeaks(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))),
      /open TCPServerWrap/,
    );
    await new Promise((resolve) => server.close(resolve));
  });

  test('returns what the function returned', async () => {
    assert.equal(await checkLeaks(() => 7), 7);
  });
});

test('assertNoSwitch outside a greenlet', () => {
  assert.throws(() => assertNoSwitch(() => 0), NotInGreenletError);
});
