/** node-fibers' Fiber: the messages, and the order in which misuse is looked at, are its own. */
import { Coroutine } from '@tendril/core/coroutine';
import { Fiber as EngineFiber, FiberError, statistics } from '@tendril/fiber';
import { logUse } from './log-use.js';
import { asZombie, currentZombie, Run, zombieError } from './run.js';
import type { FiberConstructor, Fiber as FiberInstance } from './types.js';

interface State {
  readonly fn: (...args: never[]) => unknown;
  /** While it is started. */
  run: Run | undefined;
}

const states = new WeakMap<object, State>();

function stateOf(fiber: unknown): State {
  const state = states.get(fiber as object);
  if (!state) throw new TypeError('Illegal invocation');
  return state;
}

function FiberFunction(this: object, ...args: unknown[]): object | undefined {
  if (args.length !== 1) throw new TypeError('Fiber expects 1 argument');
  const fn = args[0];
  if (typeof fn !== 'function') throw new TypeError('Fiber expects a function');
  if (!new.target) return Reflect.construct(FiberFunction, args);
  states.set(this, { fn: fn as State['fn'], run: undefined });
  return undefined;
}
Object.defineProperty(FiberFunction, 'name', { value: 'Fiber' });

/** Switches to the fiber, and sees to its end. */
function proceed(state: State, run: Run, go: () => unknown): unknown {
  try {
    return go();
  } catch (error) {
    if (error instanceof FiberError && error.code === 'ERR_FIBER_NO_MEMORY')
      throw new RangeError('Out of memory', { cause: error });
    throw error;
  } finally {
    // "created": no stack could be had.
    if (run.state === 'done' || run.state === 'created') state.run = undefined;
  }
}

/** The run in progress; one that ended by itself after a blocking call is none. */
function startedRun(state: State): Run | undefined {
  if (state.run?.state === 'done') state.run = undefined;
  return state.run;
}

function yieldingRun(state: State): Run {
  const run = startedRun(state);
  if (run?.state !== 'suspended') throw new Error('This Fiber is not yielding');
  return run;
}

const methods = {
  reset(this: FiberInstance, ...args: unknown[]): unknown {
    const state = stateOf(this);
    if (!startedRun(state)) return undefined;
    const run = yieldingRun(state);
    if (args.length > 0) throw new TypeError('reset() expects no arguments');
    const zombie = zombieError();
    run.zombie = zombie;
    try {
      return proceed(state, run, () => run.throw(zombie));
    } catch (error) {
      if (error === zombie) return undefined;
      throw error;
    }
  },

  run(this: FiberInstance, ...args: unknown[]): unknown {
    logUse?.('Fiber.run');
    const state = stateOf(this);
    if (startedRun(state)?.state === 'running') throw new Error('This Fiber is already running');
    if (args.length > 1) throw new TypeError('run() excepts 1 or no arguments');
    if (!state.run) {
      const run = new Run(this, state.fn, stackSize === undefined ? undefined : { stackSize });
      state.run = run;
      return proceed(state, run, () => run.resume(args));
    }
    const { run } = state;
    return proceed(state, run, () => run.resume(args[0]));
  },

  throwInto(this: FiberInstance, ...args: unknown[]): unknown {
    logUse?.('Fiber.throwInto');
    const state = stateOf(this);
    const run = yieldingRun(state);
    if (args.length > 1) throw new TypeError('throwInto() expects 1 or no arguments');
    return proceed(state, run, () => run.throw(args[0]));
  },
};

Object.assign(FiberFunction.prototype, methods);
Object.defineProperty(FiberFunction.prototype, 'started', {
  configurable: true,
  enumerable: true,
  get(this: object): boolean | undefined {
    const state = states.get(this);
    return state && startedRun(state) !== undefined;
  },
});

function checkYield(args: readonly unknown[]): void {
  const zombie = currentZombie();
  if (zombie) throw zombie;
  if (!(Coroutine.current instanceof Run)) throw new Error('yield() called with no fiber running');
  if (args.length > 1) throw new TypeError('yield() expects 1 or no arguments');
}

// Nothing in this frame, which stays on the suspended stack, may lead to the Fiber: see Coroutine.
function yieldNow(...args: unknown[]): unknown {
  logUse?.('Fiber.yield');
  checkYield(args);
  try {
    return Coroutine.suspend(args[0]);
  } catch (error) {
    throw asZombie(error);
  }
}
Object.defineProperty(yieldNow, 'name', { value: 'yield' });

let poolSize = 120;
let stackSize: number | undefined;

Object.defineProperties(FiberFunction, {
  yield: { configurable: true, enumerable: true, writable: true, value: yieldNow },
  current: {
    configurable: true,
    enumerable: true,
    get: () => (Coroutine.current instanceof Run ? Coroutine.current.handle : undefined),
  },
  poolSize: {
    configurable: true,
    enumerable: true,
    get: () => poolSize,
    set(size: unknown) {
      poolSize = Number(size);
    },
  },
  stackSize: {
    configurable: true,
    enumerable: true,
    get: () => stackSize,
    set(size: number | undefined) {
      if (size !== undefined) new EngineFiber(() => {}, { stackSize: size }); // says what is wrong with it
      stackSize = size;
    },
  },
  fibersCreated: { configurable: true, enumerable: true, get: () => statistics().created },
});

declare global {
  namespace NodeJS {
    interface Process {
      /** Where node-fibers keeps the one Fiber of a process for all copies of the package. */
      fiberLib?: FiberConstructor;
    }
  }
}

process.fiberLib ??= FiberFunction as unknown as FiberConstructor;

/** See {@link FiberConstructor}. */
export const Fiber: FiberConstructor = process.fiberLib;
export type Fiber = FiberInstance;
