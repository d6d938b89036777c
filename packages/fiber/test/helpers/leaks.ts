/** What every test file asks for at its end: nothing parked, nothing kept. */
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { statistics } from '@tendril/fiber';

export type Collect = (options?: { type?: 'minor' | 'major' }) => void;

/** A full garbage collection, now. */
export const collect = globalThis.gc as unknown as Collect;

/** Lets the event loop turn after collections, so that lost fibers are found and unwound. */
export async function collectAndTurn(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** After the tests of a file: no fiber is alive, neither running nor parked nor waiting to be found. */
export function checkLeaksAfterAll(): void {
  after(async () => {
    await collectAndTurn(10);
    assert.equal(statistics().live, 0, 'fibers are still alive after the last test');
  });
}
