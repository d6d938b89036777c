// Whose turn it is on something that greenlets share, and transactions on it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type Greenlet,
  getHub,
  isExit,
  joinall,
  run,
  sleep,
  spawn,
  Timeout,
  type Transactional,
  Turns,
  transact,
  wait,
  wasInterrupted,
  withTimeout,
} from '@tendril/core';
import { inGreenlet, leaveNothing } from './helpers.js';

leaveNothing();

/** A connection on which every command takes ten milliseconds, and what it was told. */
function wire(limit?: number) {
  const turns = new Turns(limit);
  const log: string[] = [];
  let open = false;
  let undoing: { join(): unknown } | undefined;
  const command = (what: string) => {
    turns.take();
    try {
      sleep(10);
      log.push(what);
      if (what === 'BEGIN') open = true;
      if (what === 'COMMIT' || what === 'ROLLBACK') open = false;
    } finally {
      turns.pass(open);
    }
  };
  const connection: Transactional = {
    turns,
    get inTransaction() {
      return open;
    },
    begin: () => command('BEGIN'),
    commit: () => command('COMMIT'),
    savepoint: (name) => command(`SAVEPOINT ${name}`),
    release: (name) => command(`RELEASE ${name}`),
    rollBack(savepoint) {
      undoing = spawn(() => {
        sleep(5);
        log.push(savepoint ? `ROLLBACK TO ${savepoint}` : 'ROLLBACK');
        if (!savepoint) open = false;
      });
    },
    settle: () => void undoing?.join(),
    isConflict: (error) => (error as Error).message === 'conflict',
  };
  const names = () => log.join(' ').replace(/tendril_\d+/g, 'x');
  return {
    turns,
    command,
    names,
    in: (fn: () => unknown) => transact(connection, fn) as unknown,
    connection,
  };
}

describe('turns', () => {
  test(
    'are taken one after the other, in the order of asking, and a kill in line costs nobody anything',
    inGreenlet(() => {
      const { command, names, turns } = wire();
      const all = ['a', 'b', 'c', 'd'].map((name) => spawn(command, name));
      sleep(5);
      all[2]?.kill();
      sleep(5);
      // In the turn in which it is served.
      all[1]?.kill({ block: false });
      joinall(all);
      assert.equal(names(), 'a d');
      assert.deepEqual(turns.statistics(), { busy: false, owned: false, waiting: 0 });
    }),
  );

  test(
    'who waits too long gets an AcquireTimeoutError',
    inGreenlet((clock) => {
      const { turns } = wire(100);
      turns.take();
      const since = clock.now();
      assert.throws(() => turns.take(), { code: 'ERR_ACQUIRE_TIMEOUT' });
      assert.equal(clock.now() - since, 100);
      turns.pass();
      turns.take();
      assert.throws(() => new Turns(-1), { code: 'ERR_INVALID_ARG' });
    }),
  );

  test('outside a greenlet there are none', () => {
    assert.throws(() => new Turns().take(), { code: 'ERR_NOT_IN_GREENLET' });
    assert.throws(() => new Turns().own(), { code: 'ERR_NOT_IN_GREENLET' });
  });
});

describe('a transaction', () => {
  for (const later of [0, 15])
    test(
      `of another greenlet begins ${later} ms later, and does not mix with the first`,
      inGreenlet(() => {
        const { in: inTransaction, command, names } = wire();
        const fails = spawn(() => {
          assert.throws(
            () =>
              inTransaction(() => {
                command('a');
                sleep(30);
                throw new Error('a fails');
              }),
            /a fails/,
          );
        });
        const commits = spawn(() => {
          sleep(later);
          inTransaction(() => command('b'));
        });
        const bare = spawn(() => {
          sleep(later + 1);
          command('bare');
        });
        joinall([fails, commits, bare], { raiseError: true });
        assert.equal(names(), 'BEGIN a ROLLBACK BEGIN b COMMIT bare');
      }),
    );

  test(
    'within one’s own is a savepoint; two greenlets nest one after the other',
    inGreenlet(() => {
      const { in: inTransaction, command, names } = wire();
      const nest = (name: string) =>
        inTransaction(() => {
          assert.throws(() =>
            inTransaction(() => {
              command(`${name}1`);
              throw new Error();
            }),
          );
          inTransaction(() => command(`${name}2`));
        });
      joinall([spawn(nest, 'a'), spawn(nest, 'b')], { raiseError: true });
      const each = (n: string) =>
        `BEGIN SAVEPOINT x ${n}1 ROLLBACK TO x SAVEPOINT x ${n}2 RELEASE x COMMIT`;
      assert.equal(names(), `${each('a')} ${each('b')}`);
    }),
  );

  test(
    'greenlets that are spawned in it take part; none of them may nest another in it, and older ones wait',
    inGreenlet(() => {
      const { in: inTransaction, command, names } = wire();
      const older = spawn(() => {
        sleep(15);
        command('older');
      });
      inTransaction(() => {
        const children = [1, 2].map((n) => spawn(() => spawn(command, `child${n}`).get()));
        const nesting = spawn(() => inTransaction(() => {}));
        assert.throws(() => nesting.get(), { code: 'ERR_CONCURRENT_USE' });
        joinall(children);
      });
      older.get();
      assert.equal(names(), 'BEGIN child1 child2 COMMIT older');
    }),
  );

  test(
    'greenlets take part whoever of those between has ended, and its owner’s error is still reported',
    inGreenlet(() => {
      const { in: inTransaction, command, names } = wire();
      const reported: unknown[] = [];
      const { onError } = getHub();
      getHub().onError = (error) => void reported.push(error);
      const failure = new Error('of the owner');
      const grandchildren: Greenlet<void>[] = [];
      const owner = spawn(() =>
        inTransaction(() => {
          spawn(
            () => void grandchildren.push(spawn(() => spawn(command, 'grandchild').get())),
          ).join();
          gc?.(); // nobody keeps the one between
          grandchildren[0]?.join();
          sleep(20); // until another one waits for its end
          throw failure;
        }),
      );
      sleep(1);
      const other = spawn(() => inTransaction(() => command('other')));
      other.get();
      assert.ok(owner.dead);
      sleep(1);
      // The report is made when the turn is over.
      spawn(() => {}).join();
      wait(new Promise((resolve) => setImmediate(resolve)));
      getHub().onError = onError;
      assert.equal(names(), 'BEGIN grandchild ROLLBACK BEGIN other COMMIT');
      assert.deepEqual(reported, [failure]);
    }),
  );

  test(
    'an older greenlet that its owner waits for is no deadlock without an error',
    inGreenlet(() => {
      const { in: inTransaction, command, names } = wire(1000);
      const older = spawn(() => {
        sleep(15);
        assert.throws(() => command('older'), { code: 'ERR_ACQUIRE_TIMEOUT' });
      });
      inTransaction(() => older.get());
      assert.equal(names(), 'BEGIN COMMIT');
    }),
  );

  test(
    'that is begun by hand is that of its greenlet, until it ends or its greenlet does',
    inGreenlet(() => {
      const { in: inTransaction, command, names, turns } = wire();
      const byHand = spawn(() => {
        command('BEGIN');
        sleep(50);
        inTransaction(() => command('nested'));
        command('COMMIT');
        sleep(1000);
      });
      const other = spawn(() => {
        sleep(1);
        inTransaction(() => command('other'));
      });
      other.get();
      assert.equal(names(), 'BEGIN SAVEPOINT x nested RELEASE x COMMIT BEGIN other COMMIT');
      byHand.kill();
      const dies = spawn(() => {
        command('BEGIN');
        sleep(50);
      });
      sleep(1);
      const heir = spawn(command, 'ROLLBACK');
      assert.equal(dies.dead, false);
      heir.get();
      assert.equal(dies.dead, true);
      assert.equal(turns.statistics().owned, false);
    }),
  );

  test(
    'whose greenlet is interrupted in it ends, wherever that was, and the next begins',
    inGreenlet(() => {
      for (let ms = 1; ms < 60; ms += 3) {
        const { in: inTransaction, command, names, turns } = wire();
        const all = ['a', 'b', 'c'].map((name) =>
          spawn(() =>
            withTimeout(name === 'c' ? 500 : ms, () => inTransaction(() => command(name))),
          ),
        );
        joinall(all);
        assert.ok(all[2]?.successful(), `${ms} ms: ${all[2]?.exception}`);
        assert.match(names(), /BEGIN c COMMIT$/);
        assert.deepEqual(turns.statistics(), { busy: false, owned: false, waiting: 0 });
      }
    }),
  );

  test(
    'is run again after a conflict, as often as it may; a promise is refused',
    inGreenlet(() => {
      const { connection, command, names } = wire();
      let runs = 0;
      const conflict = () => {
        command('work');
        if (++runs < 3) throw new Error('conflict');
        return runs;
      };
      assert.throws(() => transact(connection, conflict), /conflict/);
      assert.equal(transact(connection, conflict, { retry: 1 }), 3);
      assert.equal(names(), 'BEGIN work ROLLBACK BEGIN work ROLLBACK BEGIN work COMMIT');
      const wrong = { code: 'ERR_INVALID_ARG' };
      assert.throws(() => transact(connection, async () => {}), wrong);
      const then = () => {
        throw new Error('not asked for');
      };
      // A query that has not been sent, as some builders have them
      assert.throws(() => transact(connection, () => ({ then })), wrong);
      assert.throws(() => transact(connection, () => Object.assign(() => {}, { then })), wrong);
      assert.throws(() => transact(connection, 1 as never), wrong);
      assert.throws(() => transact(connection, () => {}, { retry: -1 }), wrong);
    }),
  );
});

describe('wasInterrupted', () => {
  const seen = (work: () => unknown) => {
    try {
      work();
      return undefined;
    } catch (error) {
      return wasInterrupted(error);
    }
  };

  test(
    'is true for kills and timeouts of the current greenlet, whatever they throw',
    inGreenlet(() => {
      class Mine extends Error {}
      for (const error of [undefined, new Mine(), 'a string', 7]) {
        const killed = spawn(() => seen(() => sleep(1000)));
        sleep(1);
        killed.kill(error === undefined ? {} : { error });
        assert.equal(killed.get(), true);
      }
      assert.equal(
        seen(() => withTimeout(1, () => sleep(10))),
        true,
      );
      using _limit = Timeout.startNew(1, new Mine());
      assert.equal(
        seen(() => sleep(10)),
        true,
      );
      // One that is caught within another one's way out.
      const twice = spawn(() => {
        try {
          sleep(1000);
          return undefined;
        } catch (error) {
          assert.equal(
            seen(() => withTimeout(1, () => sleep(10))),
            true,
          );
          return wasInterrupted(error);
        }
      });
      sleep(1);
      twice.kill();
      assert.equal(twice.get(), true);
    }),
  );

  test(
    'is false for failures, limits of calls, and what others were interrupted by',
    inGreenlet(() => {
      assert.equal(
        seen(() => JSON.parse('{')),
        false,
      );
      const other = spawn(() => withTimeout(1, () => sleep(10)));
      assert.equal(
        seen(() => other.get()),
        false,
      );
      const sleeping = spawn(sleep, 1000);
      assert.equal(
        seen(() => sleeping.get({ timeout: 1 })),
        false,
      );
      sleeping.kill();
      assert.ok(isExit(sleeping.value) && !wasInterrupted(sleeping.value));
    }),
  );

  test('is false outside greenlets', async () => {
    const outcome = run(() => withTimeout(1, () => sleep(1000))) as Promise<void>;
    assert.equal(await outcome.catch(wasInterrupted), false);
  });
});
