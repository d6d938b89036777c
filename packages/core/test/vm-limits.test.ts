/** Greenlets inside code of node:vm that runs under a limit: they cannot park there, and nobody else is struck. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import vm from 'node:vm';
import { joinall, sleep, spawn } from '@tendril/core';
import { inGreenlet, leaveNothing } from './helpers.js';

leaveNothing();

const cannotPark = {
  code: 'ERR_CANNOT_SWITCH',
  message: /node:vm with a `timeout` or `breakOnSigint`/,
};

describe('a greenlet inside code of node:vm', () => {
  for (const options of [{ timeout: 50 }, { breakOnSigint: true }])
    test(
      `with ${JSON.stringify(options)} cannot park, and others run on`,
      inGreenlet(() => {
        let turns = 0;
        const limited = spawn(() => {
          assert.throws(() => vm.runInNewContext('sleep(500)', { sleep }, options), cannotPark);
          sleep(1);
          return 'went on';
        });
        // Long enough for a limit that had been left behind.
        const bystander = spawn(() => {
          for (const end = performance.now() + 200; performance.now() < end; )
            if (++turns % 1000 === 0) sleep(0);
          return 'fine';
        });
        joinall([limited, bystander]);
        assert.deepEqual([limited.get(), bystander.get()], ['went on', 'fine']);
      }),
    );

  test(
    'without a limit parks as anywhere',
    inGreenlet(() => {
      let seen = 0;
      const other = spawn(() => ++seen);
      assert.equal(vm.runInNewContext('sleep(1); seen()', { sleep, seen: () => seen }), 1);
      other.join();
    }),
  );

  test(
    'fails by its limit alone while others are parked',
    inGreenlet(() => {
      const parked = Array.from({ length: 10 }, (_, i) =>
        spawn(() => {
          sleep(20);
          return i;
        }),
      );
      sleep(0);
      const spinner = spawn(() => vm.runInNewContext('for (;;);', {}, { timeout: 10 }));
      assert.throws(() => spinner.get(), { code: 'ERR_SCRIPT_EXECUTION_TIMEOUT' });
      assert.deepEqual(
        parked.map((each) => each.get()),
        Array.from({ length: 10 }, (_, i) => i),
      );
    }),
  );
});
