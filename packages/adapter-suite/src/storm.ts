/** The storm: random kills, timeouts and restarts, after which everything must be as before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Greenlet,
  isExit,
  joinall,
  killall,
  rethrowExit,
  run,
  sleep,
  spawn,
  Timeout,
  withTimeout,
} from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import type { Adapter, Subject } from './contract.js';
import { openGate } from './gate.js';
import { chances, rounds } from './rounds.js';
import { eventually } from './suite.js';

/** Milliseconds in which a machine that is too slow for enough right answers gets more rounds. */
const patience = 60_000;

interface Tally {
  right: number;
  interrupted: number;
  failed: number;
  /** Milliseconds after which each is interrupted at the latest. */
  limit: number;
}

function askOnce(subject: Subject, id: string, chance: () => number, tally: Tally): void {
  using limit = Timeout.startNew(1 + chance() * tally.limit);
  try {
    const answer = chance() < 0.5 ? subject.echo(id) : subject.slow(id, Math.floor(chance() * 30));
    assert.equal(answer, id, 'an answer to another question');
    tally.right++;
  } catch (error) {
    if (isExit(error) || error instanceof assert.AssertionError) throw error;
    if (error === limit) tally.interrupted++;
    else tally.failed++;
  }
}

/** One who asks again and again, each time with an id of its own, and checks the answer. */
function asker(subject: Subject, name: number, chance: () => number, tally: Tally): void {
  for (let n = 0; ; n++) {
    const id = `${name}.${n}`;
    askOnce(subject, id, chance, tally);
    sleep(1);
  }
}

/**
 * Uses all connections at once, each use with a limit, until everybody gets the right answer: as long as
 * there is a connection that says nothing any more, its users give up.
 */
function recovers(subject: Subject, size: number): void {
  eventually(
    'all connections are well',
    () => {
      const all = Array.from({ length: size * 3 }, (_, i) => spawn(asksInTime, subject, `w${i}`));
      joinall(all);
      return all.every((each) => each.get());
    },
    60_000,
  );
  assert.equal(subject.waiting, 0, 'nobody is left waiting for a connection');
}

function asksInTime(subject: Subject, id: string): boolean {
  using limit = Timeout.startNew(2000);
  try {
    return subject.slow(id, 30) === id;
  } catch (error) {
    if (error !== limit) rethrowExit(error);
    return false;
  }
}

/**
 * 500 rounds (fewer in short runs): in each, one of the askers is killed and replaced; now and then the
 * network is cut or the server killed. At the end the pool has its full size, the server no session too
 * many, nobody waits, and nobody got an answer to somebody else's question.
 */
export function describeStorm(
  adapter: Adapter,
  options: {
    size?: number;
    askers?: number;
    /** Right answers for each round, at least: fewer where a connection takes its server long. Default 1. */
    right?: number;
    /** At random moments the connections of that moment go silent for good, see {@link Gate.silence}. */
    silence?: boolean;
  } = {},
): void {
  const { size = 4, askers = 20, right = 1, silence = false } = options;
  const enough = rounds * right;
  const ends = silence ? 'timeouts, restarts and silence' : 'timeouts and restarts';
  test(`${adapter.name}: ${rounds} rounds of kills, ${ends}`, async () => {
    const service = await adapter.start();
    const gate = await openGate(service);
    const random = chances(rounds);
    const chance = () => random.next().value;
    const tally: Tally = { right: 0, interrupted: 0, failed: 0, limit: 40 };
    try {
      await run(() => {
        const subject = adapter.open(gate, { size, acquireTimeout: 5000 });
        const running: Greenlet[] = [];
        // Also when something has failed: who asks on for ever keeps the process.
        using _over = {
          [Symbol.dispose]() {
            killall(running, { block: false });
            subject.close(0);
          },
        };
        const begin = (name: number) => {
          running[name % askers] = spawn(asker, subject, name, chance, tally);
        };
        for (let name = 0; name < askers; name++) begin(name);
        const deadline = performance.now() + patience;
        const goesOn = (round: number) =>
          round < rounds || (tally.right <= enough && performance.now() < deadline);
        for (let round = 0; goesOn(round); round++) {
          // What a machine is too slow for in this time it answers in ten times as long.
          if (round === rounds) tally.limit *= 10;
          sleep(2 + chance() * 6);
          const victim = running[Math.floor(chance() * askers)];
          victim?.kill();
          if (victim?.exception) throw victim.exception;
          begin(running.indexOf(victim as Greenlet) + askers * (round + 1));
          if (round % 50 === 25) gate.cut();
          if (silence && chance() < 1 / 40) gate.silence();
          if (round % 200 === 150) {
            service.kill();
            sleep(20);
            service.start();
          }
        }
        if (silence) gate.silence(); // once at least, and with nothing after it that would help
        withTimeout(30_000, () => killall(running));
        for (const each of running) if (each.exception) throw each.exception;
        eventually('it answers again', () => answers(subject));
        if (silence) recovers(subject, size);
        // Those that come later may find connections free again, on a machine that has other work.
        eventually('the pool has its full size', () => {
          const all = Array.from({ length: size * 3 }, (_, i) =>
            spawn(() => subject.slow(`end${i}`, 30)),
          );
          for (const [i, each] of all.entries())
            assert.equal(each.get({ timeout: 30_000 }), `end${i}`);
          return subject.size === size;
        });
        const observer = adapter.observe(service);
        eventually('the server works on nothing', () => observer.running() === 0);
        const most = size + (adapter.sharedSessions ?? 0);
        eventually('no session too many', () => observer.sessions() <= most);
        subject.close(1000);
        eventually('no session is left', () => observer.sessions() === 0);
        observer.close();
      });
    } finally {
      await gate.close();
      await service.stop();
    }
    assert.ok(tally.right > enough && tally.interrupted > 0, JSON.stringify(tally));
    await checkLeaks();
  });
}

function answers(subject: Subject): boolean {
  using _limit = Timeout.startNew(2000);
  try {
    return subject.echo('again') === 'again';
  } catch {
    return false;
  }
}
