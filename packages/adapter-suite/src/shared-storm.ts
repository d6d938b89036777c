/** The storm over shared connections: transactions, locks and settings of two greenlets on each. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isExit, joinall, run, sleep, spawn, Timeout, withTimeout } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import type { Adapter, Observer, SharedConnection, Subject } from './contract.js';
import { openGate } from './gate.js';
import { chances, rounds } from './rounds.js';
import { eventually } from './suite.js';

/**
 * Milliseconds for what gives back a lock or a setting, which nothing else interrupts. Where that is not enough, on
 * a silent network or a slow machine, the connection is not for others.
 */
const tidying = 1000;

interface Tally {
  committed: number;
  /** Transactions that ended by an error or an interrupt: it may have struck after the COMMIT. */
  unknown: number;
  locked: number;
  marked: number;
  interrupted: number;
}

/** What one greenlet does on a connection that it shares. `within` runs a function for as long as it may. */
interface Work {
  readonly connection: SharedConnection;
  /** Of the two that share it. */
  readonly place: number;
  readonly tally: Tally;
  chance(): number;
  within(fn: () => void): void;
  /** Runs what takes back something that the session has: without it, the connection cannot be lent again. */
  tidy(fn: () => void): void;
}

const moved = 0;
const movedTo = 1;
const takenBack = 2;

class ChangedMind extends Error {}

/** Its two halves are both there in the end, or neither. */
function transfer({ connection, tally, chance, within }: Work): void {
  tally.unknown++;
  within(() =>
    connection.transaction(() => {
      connection.add(moved, -1);
      sleep(chance() * 4);
      connection.add(movedTo, 1);
    }),
  );
  tally.unknown--;
  tally.committed++;
}

/** Nothing of it is there in the end. */
function changeMind({ connection, chance, within }: Work): void {
  within(() =>
    connection.transaction(() => {
      connection.add(takenBack, 1);
      sleep(chance() * 4);
      throw new ChangedMind();
    }),
  );
}

/** Takes back what it has got, whatever happens; what it has not got is not there. */
function hold({ connection, place, tally, chance, within, tidy }: Work): void {
  let held = false;
  try {
    within(() => {
      connection.lock(place);
      held = true;
      tally.locked++;
      sleep(chance() * 4);
    });
  } finally {
    if (held) tidy(() => connection.unlock(place));
  }
}

function mark({ connection, tally, chance, within, tidy }: Work): void {
  let marked = false;
  try {
    within(() => {
      connection.set('marked');
      marked = true;
      tally.marked++;
      sleep(chance() * 4);
    });
  } finally {
    if (marked) tidy(() => connection.set(''));
  }
}

const kinds = [transfer, changeMind, hold, mark];

/** Two greenlets on one connection, one of which at most ends undisturbed. */
function pair(subject: Subject, chance: () => number, tally: Tally): void {
  const connection = subject.share?.() as SharedConnection;
  let isTidy = true;
  const tidy = (fn: () => void) => {
    try {
      withTimeout(tidying, fn);
    } catch (error) {
      isTidy = false;
      throw error;
    }
  };
  try {
    const both = [0, 1].map((place) => {
      const kind = kinds[Math.floor(chance() * kinds.length)] as (work: Work) => void;
      const ms = 1 + chance() * 60;
      const timed = chance() < 0.5;
      let working = false;
      const within = (fn: () => void) => {
        working = true;
        try {
          if (timed) withTimeout(ms, fn);
          else fn();
        } finally {
          working = false;
        }
      };
      const greenlet = spawn(() => {
        try {
          kind({ connection, place, tally, chance, within, tidy });
        } catch (error) {
          if (error instanceof Timeout || isExit(error)) tally.interrupted++;
          if (error instanceof assert.AssertionError) throw error;
        }
      });
      if (!timed)
        spawn(() => {
          sleep(ms);
          if (working) greenlet.kill({ block: false });
        });
      return greenlet;
    });
    joinall(both, { raiseError: true });
  } finally {
    if (isTidy) connection.release();
    else connection.destroy();
  }
}

function checkAccounts(observer: Observer, { committed, unknown }: Tally): void {
  const amounts = observer.accounts?.() as number[];
  const arrived = amounts[movedTo] as number;
  const told = JSON.stringify({ amounts, committed, unknown });
  assert.equal(amounts[moved], -arrived, `half a transaction: ${told}`);
  assert.equal(amounts[takenBack], 0, `what was taken back is there: ${told}`);
  assert.ok(arrived >= committed && arrived <= committed + unknown, `lost: ${told}`);
}

/** Every connection of the pool is as a new one, for whoever gets it. */
function checkSettings(subject: Subject, size: number): void {
  const all: SharedConnection[] = [];
  // One that was being made when the network went silent is given up only now.
  const lend = () => {
    try {
      all.push(subject.share?.() as SharedConnection);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
    }
    return all.length === size;
  };
  eventually('all connections can be lent', lend, 60_000);
  for (const each of all) assert.equal(each.setting(), '');
  for (const each of all) each.release();
}

/**
 * As many rounds as the other storm: in each, two greenlets share a connection, in transactions, locks and
 * settings, with a random timeout or kill for each; now and then the network goes silent. At the end no idle
 * connection has a lock, a setting or a transaction, and what was committed is there, and nothing else.
 */
export function describeSharedStorm(adapter: Adapter, options: { size?: number } = {}): void {
  const { size = 3 } = options;
  test(`${adapter.name}: ${rounds} rounds of two greenlets on one connection`, async () => {
    const service = await adapter.start();
    const gate = await openGate(service);
    const random = chances(rounds);
    const chance = () => random.next().value;
    const tally: Tally = { committed: 0, unknown: 0, locked: 0, marked: 0, interrupted: 0 };
    try {
      await run(() => {
        const observer = adapter.observe(service);
        assert.deepEqual(observer.accounts?.(), [0, 0, 0]);
        const subject = adapter.open(gate, { size });
        let round = 0;
        const pairs = Array.from({ length: size + 1 }, () =>
          spawn(() => {
            while (round++ < rounds) {
              if (chance() < 1 / 100) gate.silence();
              try {
                pair(subject, chance, tally);
              } catch (error) {
                if (isExit(error) || error instanceof assert.AssertionError) throw error;
              }
            }
          }),
        );
        joinall(pairs, { raiseError: true });
        let left: unknown;
        eventually(
          () => `idle connections have nothing of anybody: ${left}`,
          () => {
            left = [`${observer.running()} at work`, ...(observer.leftovers?.() ?? [])];
            return `${left}` === '0 at work';
          },
          30_000,
        );
        checkAccounts(observer, tally);
        checkSettings(subject, size);
        subject.close(1000);
        eventually('no session is left', () => observer.sessions() === 0, 15_000);
        observer.close();
      });
    } finally {
      await gate.close();
      await service.stop();
    }
    for (const [what, count] of Object.entries(tally)) assert.ok(count > 0, `never: ${what}`);
    await checkLeaks();
  });
}
