/**
 * Lets AsyncLocalStorage follow tasks, on both of Node's mechanisms.
 *
 * From Node 24 the stores are one value in V8 (the context frame). Fibers keep it across parks by
 * themselves; only a task that starts has to set the one it inherits.
 *
 * Before that, each store is a property of the current async resource, under a symbol of the
 * AsyncLocalStorage. All tasks run inside one resource of ours, and its properties are exchanged when
 * another task gets the processor. While nobody uses AsyncLocalStorage there are no symbols, and all
 * of this costs one comparison.
 */
import { AsyncLocalStorage, AsyncResource, executionAsyncResource } from 'node:async_hooks';
import { getContextFrame, setContextFrame } from '@tendril/fiber';

/** The stores of one task: a context frame, or the values of all symbols in order. */
export type AsyncContext = unknown;

interface LegacyStorage {
  _enable(): void;
  readonly kResourceStore: symbol;
}

type Stores = Record<symbol, unknown>;

const legacy = AsyncLocalStorage.prototype as unknown as Partial<LegacyStorage>;

/** True where the stores live on async resources (Node 20 and 22). */
export const storesOnResources = typeof legacy._enable === 'function';

const symbols: symbol[] = [];

/** The resource that every task runs in. */
const shared = new AsyncResource('TendrilHub', { requireManualDestroy: true });
const sharedStores = shared as unknown as Stores;

if (storesOnResources) {
  // Storages that were in use before this module was loaded leave their symbol on every new resource.
  const probe = new AsyncResource('TendrilProbe', { requireManualDestroy: true });
  for (const symbol of Object.getOwnPropertySymbols(probe))
    if (symbol.description === 'kResourceStore') symbols.push(symbol);
  // The others tell us when they are used for the first time.
  const enable = legacy._enable as (this: LegacyStorage) => void;
  legacy._enable = function (this: LegacyStorage) {
    if (!symbols.includes(this.kResourceStore)) symbols.push(this.kResourceStore);
    enable.call(this);
  };
  // Node's exit() disables the storage, for everybody, until its callback returns: a task that parks
  // there would take all others' store away. That of Node 24 is this one.
  AsyncLocalStorage.prototype.exit = function exit<R, A extends unknown[]>(
    this: AsyncLocalStorage<unknown> & { readonly enabled?: boolean },
    callback: (...args: A) => R,
    ...args: A
  ): R {
    return this.enabled ? this.run(undefined, callback, ...args) : callback(...args);
  };
}

function read(stores: Stores): unknown[] {
  return symbols.map((symbol) => stores[symbol]);
}

function write(stores: Stores, values: unknown[] | undefined): void {
  for (let i = 0; i < symbols.length; i++) stores[symbols[i] as symbol] = values?.[i];
}

/** The context of whoever runs now. */
export function captureContext(): AsyncContext {
  if (!storesOnResources) return getContextFrame();
  if (symbols.length === 0) return undefined;
  return read(executionAsyncResource() as Stores);
}

/** The context of what belongs to nobody: no stores at all. */
export const noContext: AsyncContext = undefined;

/** Makes `context` that of the code that runs from here on: for a task that starts. */
export function enterContext(context: AsyncContext): void {
  if (storesOnResources) write(sharedStores, context as unknown[] | undefined);
  else setContextFrame(context);
}

/**
 * `fn(argument)` in `context`, whoever asks; afterwards the caller's own is back. `fn` may park, if the
 * caller is a task.
 */
export function runInContext<A, R>(context: AsyncContext, fn: (argument: A) => R, argument: A): R {
  if (!storesOnResources) {
    const outside = getContextFrame();
    if (outside !== context) setContextFrame(context);
    try {
      return fn(argument);
    } finally {
      setContextFrame(outside);
    }
  }
  if (symbols.length > 0) return runInStores(context, fn, argument);
  try {
    return fn(argument);
  } finally {
    // The first to use a storage.
    if (symbols.length > 0) write(executionAsyncResource() as Stores, undefined);
  }
}

function runInStores<A, R>(context: AsyncContext, fn: (argument: A) => R, argument: A): R {
  // The same object when a task goes on after a park, with the same values: the hub sees to that.
  const stores = executionAsyncResource() as Stores;
  const outside = read(stores);
  write(stores, context as unknown[] | undefined);
  try {
    return fn(argument);
  } finally {
    write(stores, outside);
  }
}

function call<R>(fn: () => R): R {
  return fn();
}

/**
 * Remembers the AsyncLocalStorage context of the caller; what it returns runs a function in it, at any
 * time and any number of times, in greenlets and outside. As `AsyncLocalStorage.snapshot()`, but without
 * an AsyncResource, so that a greenlet may park in it at no cost.
 */
export function snapshotContext(): <R>(fn: () => R) => R {
  const context = captureContext();
  return (fn) => runInContext(context, call, fn) as ReturnType<typeof fn>;
}

/** `fn`, which runs in the context of who has called this, whoever calls it. */
export function inContextOfCaller<A>(fn: (argument: A) => void): (argument: A) => void {
  const context = captureContext();
  return (argument) => runInContext(context, fn, argument);
}

/**
 * Runs `fn` in no AsyncLocalStorage context: for what is made on somebody's call and belongs to nobody,
 * as a connection that a pool keeps. Otherwise it would hold that caller's stores, and show them to others.
 */
export function withoutContext<R>(fn: () => R): R {
  return runInContext(noContext, call as (fn: () => R) => R, fn);
}

/** A scope that a task is in: an AsyncResource, and whose values its stores have. See async-scope.ts. */
export interface Scope {
  readonly resource: AsyncResource;
  /** Before Node 24, while the task is parked: its own values of the stores on the resource. */
  own?: unknown[] | undefined;
  /** And while it runs: those that everybody else is to find there. */
  others?: unknown[] | undefined;
}

/**
 * Before Node 24: what a task that parks has to be given back by {@link comeBack}. The resources of
 * `scopes`, which others may run in meanwhile, get back what they had.
 */
export function goAway(scopes: Scope[] | undefined): AsyncContext {
  if (symbols.length === 0) return undefined;
  if (scopes) for (const scope of scopes.toReversed()) exchange(scope, 'own', 'others');
  return read(sharedStores);
}

/** Gives a task its stores back. */
export function comeBack(context: AsyncContext, scopes: Scope[] | undefined): void {
  enterContext(context);
  if (scopes) for (const scope of scopes) exchange(scope, 'others', 'own');
}

function exchange(scope: Scope, kept: 'own' | 'others', shown: 'own' | 'others'): void {
  const stores = scope.resource as unknown as Stores;
  scope[kept] = read(stores);
  // Nothing yet for a scope that is new: it starts with what is on the resource.
  if (scope[shown]) write(stores, scope[shown]);
  scope[shown] = undefined;
}

/** True when contexts have to be exchanged at every switch. */
export function exchangesContexts(): boolean {
  return symbols.length > 0;
}

const runInScope = AsyncResource.prototype.runInAsyncScope;

/** Runs `fn` in `resource`, on Node's own path and never through a greenlet's: see async-scope.ts. */
export function enterResource<T>(resource: AsyncResource, fn: () => T): T {
  return runInScope.call(resource, fn as () => unknown) as T;
}

/** Runs `fn`, the hub's loop for one, where tasks may run. */
export function inSharedResource<T>(fn: () => T): T {
  return storesOnResources ? enterResource(shared, fn) : fn();
}
