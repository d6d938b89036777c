/** What the tests of libraries share. */
import { after } from 'node:test';
import { run, sleep, spawn } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';

export function leaveNothing(): void {
  after(() => checkLeaks());
}

/** A test's body in a greenlet. */
export function inGreenlet(body: () => void): () => Promise<void> {
  return () => run(body) as Promise<void>;
}

/** Runs `body` beside another greenlet and says how often that one ran meanwhile. */
export function turnsOfAnother(body: () => void): number {
  let turns = 0;
  const other = spawn(() => {
    for (;;) {
      sleep(1);
      turns++;
    }
  });
  try {
    body();
  } finally {
    other.kill();
  }
  return turns;
}

/** A promise of `value`, after as many milliseconds. */
export function later<T>(ms: number, value: T): Promise<T> {
  return new Promise((resolve) => setTimeout(() => resolve(value), ms));
}
