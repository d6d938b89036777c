/**
 * AsyncResource#runInAsyncScope inside a task.
 *
 * Node keeps one stack of async ids for the thread and aborts when enters and leaves do not nest. A
 * task that parked inside such a scope would leave its entry behind. So in a task the scope is entered
 * on the main stack, around the resume of the task, and left there whenever the task parks (hub.ts,
 * #resumeInScopes). Outside tasks Node's own method runs untouched.
 */
import { AsyncResource } from 'node:async_hooks';
import {
  captureContext,
  enterContext,
  enterResource,
  storesOnResources,
} from '../loop/async-context.js';
import { hub } from './hub.js';
import type { Task } from './task.js';

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

const original = AsyncResource.prototype.runInAsyncScope;

function runInAsyncScope(
  this: AsyncResource,
  fn: AnyFunction,
  thisArg?: unknown,
  ...args: unknown[]
): unknown {
  const task = hub.current;
  if (!task) return original.call(this, fn, thisArg, ...args);
  // Before Node 24 the stores are on the resource itself; after it they are the fiber's, to be set.
  const outside = storesOnResources ? undefined : captureContext();
  const inside = storesOnResources ? undefined : enterResource(this, captureContext);
  const scopes = task.scopes ?? [];
  task.scopes = scopes;
  scopes.push({ resource: this });
  move(task, inside);
  try {
    return fn.apply(thisArg, args);
  } finally {
    scopes.pop();
    if (scopes.length === 0) task.scopes = undefined;
    move(task, outside);
  }
}

function move(task: Task, context: unknown): void {
  if (hub.current !== task) return; // its stack is unwound because nothing can resume it
  hub.reenterScopes(task);
  if (!storesOnResources) enterContext(context);
}

AsyncResource.prototype.runInAsyncScope = runInAsyncScope as typeof original;
