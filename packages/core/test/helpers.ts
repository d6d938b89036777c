/** What most tests of core need. */
import { after } from 'node:test';
import { run, wait } from '@tendril/core';
import { checkLeaks, VirtualClock } from '@tendril/core/testing';

/** A test body in a greenlet, in virtual time. */
export function inGreenlet(body: (clock: VirtualClock) => void): () => Promise<void> {
  return async () => {
    using clock = VirtualClock.install();
    await run(() => body(clock));
  };
}

/** For the top of every file: nothing may be left when its tests are over. */
export function leaveNothing(): void {
  after(() => checkLeaks());
}

/**
 * What a shell runs before it becomes a Node that has only so many file descriptors. Newer ones read a file of
 * certificates on a thread of their own, at any time, and give its descriptor back in the midst of a test.
 */
export function fewDescriptors(count: number): string {
  return `unset NODE_EXTRA_CA_CERTS; ulimit -n ${count};`;
}

/** Two turns of the event loop: whatever was set by setImmediate before has been called. */
export function twoTurns(): void {
  for (let i = 0; i < 2; i++) wait(new Promise<void>((resolve) => setImmediate(resolve)));
}
