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
}

/** The context of whoever runs now. */
export function captureContext(): AsyncContext {
  if (!storesOnResources) return getContextFrame();
  if (symbols.length === 0) return undefined;
  const stores = executionAsyncResource() as Stores;
  return symbols.map((symbol) => stores[symbol]);
}

/** Makes `context` that of the code that runs from here on: for a task that starts. */
export function enterContext(context: AsyncContext): void {
  if (!storesOnResources) {
    setContextFrame(context);
    return;
  }
  if (symbols.length === 0) return;
  const values = context as unknown[] | undefined;
  for (let i = 0; i < symbols.length; i++) sharedStores[symbols[i] as symbol] = values?.[i];
}

/** Before Node 24: what a task that parks has to be given back by {@link enterContext}. */
export function leaveContext(): AsyncContext {
  if (symbols.length === 0) return undefined;
  return symbols.map((symbol) => sharedStores[symbol]);
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
