/** run() and asyncify(): the doors between promises and greenlets. */
import { InvalidArgumentError, LoopExit } from '../errors.js';
import { hub } from '../hub/hub.js';
import { Greenlet } from './greenlet.js';
import { withLikeness } from './likeness.js';
import { spawn } from './spawn.js';

/** How many parked greenlets a LoopExit describes. */
const described = 20;

function parkedGreenlets(): string[] {
  const lines: string[] = [];
  for (const task of hub.tasks()) {
    if (lines.length >= described) break;
    lines.push(`${task.describe()}, parked:\n${(task as Greenlet).stack()}`);
  }
  const more = hub.taskCount - lines.length;
  if (more > 0) lines.push(`and ${more} more`);
  return lines;
}

/** Those that run now, in order. One listener serves them all: Node takes more than ten for a leak. */
const mains = new Set<Greenlet>();

function onLoopEnd(): void {
  for (const main of mains) main.kill({ error: new LoopExit(parkedGreenlets()), block: false });
  hub.arm(); // the loop has ended: it turns again only for something new
}

export interface RunOptions {
  /** Of the greenlet that `main` runs in, in bytes: see `config.stackSize`. */
  stackSize?: number;
}

/**
 * Entry of a program: runs `main` in a greenlet and gives its outcome as a promise.
 *
 * When the event loop has nothing left to do and `main` is still parked, nothing can ever wake it:
 * LoopExit is thrown at its park point, so that its `finally` blocks run, and names every greenlet
 * that is parked and where.
 * @throws FiberError ERR_FIBER_STACK_SIZE for a `stackSize` that no stack can have
 */
export function run<R>(main: () => R, options?: RunOptions): Promise<Awaited<R>> {
  const greenlet = new Greenlet(main) as Greenlet<Awaited<R>>;
  greenlet.stackSize = options?.stackSize;
  greenlet.name = 'main';
  greenlet.start();
  if (mains.size === 0) process.on('beforeExit', onLoopEnd);
  mains.add(greenlet as Greenlet);
  greenlet.onEnd(() => {
    mains.delete(greenlet as Greenlet);
    if (mains.size === 0) process.off('beforeExit', onLoopEnd);
  });
  return greenlet.toPromise();
}

type AnyFunction = (...args: never) => unknown;

/**
 * Makes `fn` return a promise and run in a greenlet of its own at each call: for handlers of
 * frameworks that expect async functions (Express, Koa, Fastify, Hono, Next). It has the length, the name and
 * all other own properties of `fn`: a framework may go by them.
 *
 * What it makes has the type of `fn` as well, though its result is always a promise: only so does the
 * place where a handler is given to a framework tell the types of the handler's parameters. (Calls take
 * the first of both, `ReturnType` the last.)
 */
export function asyncify<F extends AnyFunction>(
  fn: F,
): ((...args: Parameters<F>) => Promise<Awaited<ReturnType<F>>>) & F;
export function asyncify<A extends unknown[], R>(
  fn: (...args: A) => R,
): (...args: A) => Promise<Awaited<R>>;
export function asyncify<A extends unknown[], R>(
  fn: (...args: A) => R,
): (...args: A) => Promise<Awaited<R>> {
  if (typeof fn !== 'function') throw new InvalidArgumentError('fn', 'a function', fn);
  const handler = function (this: unknown, ...args: A) {
    return spawn(() => Reflect.apply(fn, this, args) as R).toPromise();
  };
  return withLikeness(handler, fn);
}
