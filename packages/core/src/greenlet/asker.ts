/** Who asked for something that is made later: whose context it has, and whose child it is. */
import { hub } from '../hub/hub.js';
import type { Task } from '../hub/task.js';
import {
  type AsyncContext,
  captureContext,
  noContext,
  runInContext,
} from '../loop/async-context.js';
import { atSite, type SpawnSite, spawnSite } from './spawn-site.js';

export interface Asker {
  readonly context: AsyncContext;
  /** The greenlet, if it was one. */
  readonly task: Task | undefined;
  /** Where it stood. */
  readonly site: SpawnSite;
}

/** Who makes what belongs to nobody: a pool's connections, a server's loops. */
export const nobody: Asker = { context: noContext, task: undefined, site: {} };

const call = <T>(make: () => T): T => make();

/** The caller. */
export function asker(): Asker {
  return { context: captureContext(), task: hub.current, site: spawnSite() };
}

/**
 * `make()` as if `asker` called it: greenlets that it makes have the asker's context, and the asker as
 * their spawningGreenlet. It must not park.
 */
export function onBehalfOf<T>(asker: Asker, make: () => T): T {
  const { current } = hub;
  hub.current = asker.task;
  try {
    return atSite(asker.site, () => runInContext(asker.context, call, make) as T);
  } finally {
    hub.current = current;
  }
}
