/** What the tests of both entries need. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { after, before, describe } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkLeaks } from '@tendril/core/testing';
import type { FiberConstructor } from '@tendril/fibers';
import type { Future as AnyFuture, FutureConstructor } from '@tendril/fibers/future';

const require = createRequire(import.meta.url);

/** As its users get them. */
export const Fiber = require('@tendril/fibers') as FiberConstructor;
export const Future = require('@tendril/fibers/future') as FutureConstructor;

const collect = (globalThis as { gc?: () => void }).gc as () => void;

/** A full garbage collection before and after every switch, by wrapping what switches. */
function collectAtSwitches(): () => void {
  const { run, throwInto, reset } = Fiber.prototype;
  const originals = { run, throwInto, reset };
  const original = Fiber.yield;
  const wrap = <A extends unknown[], R>(fn: (...args: A) => R) =>
    function (this: unknown, ...args: A): R {
      collect();
      try {
        return fn.apply(this, args);
      } finally {
        collect();
      }
    };
  for (const [name, method] of Object.entries(originals))
    Object.assign(Fiber.prototype, { [name]: wrap(method) });
  Fiber.yield = wrap(original);
  return () => {
    Object.assign(Fiber.prototype, originals);
    Fiber.yield = original;
  };
}

/** Runs the tests twice, the second time with collections at each switch: `times` makes loops shorter. */
export function suite(name: string, tests: (times: (count: number) => number) => void): void {
  describe(name, () => tests((count) => count));
  describe(`${name}, with a collection at each switch`, () => {
    let restore: (() => void) | undefined;
    before(() => {
      restore = collectAtSwitches();
    });
    after(() => restore?.());
    tests((count) => Math.min(count, 3));
  });
}

/** For the top of every file: nothing may be left when its tests are over. */
export function leaveNothing(): void {
  after(() => checkLeaks());
}

/** Runs a program of test/programs and gives what it prints. */
export function runProgram(name: string, env: NodeJS.ProcessEnv = {}, options: string[] = []) {
  const file = fileURLToPath(new URL(`../test/programs/${name}`, import.meta.url));
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    ['--expose-gc', ...options, file],
    {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    },
  );
  return { status, signal, stdout, stderr };
}

/** The next turn of the event loop. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Runs a body in a fiber; the promise follows it through all its waits. */
export const inFiber = (body: () => void) => () => Future.task(body).promise();

/** A future of `value`, after `ms` milliseconds. */
export function later<T>(value: T, ms = 1): AnyFuture<T> {
  const future = new Future<T>();
  setTimeout(() => future.return(value), ms);
  return future;
}
