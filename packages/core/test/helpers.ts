/** What most tests of core need. */
import { pbkdf2 } from 'node:crypto';
import { after } from 'node:test';
import { run, spawn, wait } from '@tendril/core';
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

/** Whether others ran during a call. */
export function parks(call: () => unknown): boolean {
  let others = false;
  const other = spawn(() => {
    others = true;
  });
  try {
    call();
    return others;
  } finally {
    other.join();
  }
}

/** Keeps all threads of libuv's pool busy, so that what is asked of them now is done later. */
export function busyThreads(): Promise<unknown> {
  const count = Number(process.env.UV_THREADPOOL_SIZE ?? 4);
  const work = () => new Promise((resolve) => pbkdf2('', '', 100_000, 64, 'sha512', resolve));
  return Promise.all(Array.from({ length: count }, work));
}

/**
 * The environment of a Node that has few file descriptors. Newer ones read a file of certificates on a thread of
 * their own, at any time, and give its descriptor back in the midst of a test.
 */
export function withoutCertificates(): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  return env;
}

/** Compiles if both are the very same type. */
export function same<A, B>(
  ..._proof: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? [] : ['differ']
): void {}

/** Two turns of the event loop: whatever was set by setImmediate before has been called. */
export function twoTurns(): void {
  for (let i = 0; i < 2; i++) wait(new Promise<void>((resolve) => setImmediate(resolve)));
}
