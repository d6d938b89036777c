/** Who asked for something that is made later: whose context it has, and whose child it is. */
import { hub } from '../hub/hub.js';
import type { Task } from '../hub/task.js';
import {
  type AsyncContext,
  captureContext,
  noContext,
  runInContext,
} from '../loop/async-context.js';

export interface Asker {
  readonly context: AsyncContext;
  /** The greenlet, if it was one. */
  readonly task: Task | undefined;
}

/** Who makes what belongs to nobody: a pool's connections, a server's loops. */
export const nobody: Asker = { context: noContext, task: undefined };

/** The caller. */
export function asker(): Asker {
  return { context: captureContext(), task: hub.current };
}

/**
 * `make()` as if `asker` called it: greenlets that it makes have the asker's context, and the asker as
 * their spawningGreenlet. It must not park.
 */
export function onBehalfOf<T>(asker: Asker, make: () => T): T {
  const { current } = hub;
  hub.current = asker.task;
  try {
    return runInContext(asker.context, make as (none: undefined) => T, undefined);
  } finally {
    hub.current = current;
  }
}
