/**
 * Modules are loaded in one piece: while a greenlet is in `require()`, nothing that is patched parks
 * it, so that no other greenlet ever sees half a module (Python's import lock, without the lock). The
 * main module is exempt: its top level is the program.
 */
import Module from 'node:module';
import { type Greenlet, getCurrent } from '../index.js';

/** Newer Nodes hand over more, of their own. */
export type Load = (
  this: unknown,
  request: string,
  parent: unknown,
  isMain?: boolean,
  ...own: unknown[]
) => unknown;

/** How deep in `require` each greenlet stands. */
const depths = new Map<Greenlet, number>();

/** Whether the current greenlet is loading a module. */
export function isLoading(): boolean {
  return depths.size > 0 && depths.has(getCurrent() as Greenlet);
}

export const loader = Module as unknown as { _load: Load };
let watching = false;

/** Watches `require()`, from the first call on. */
export function watchLoading(): void {
  if (watching) return;
  watching = true;
  const load = loader._load;
  loader._load = function (request, parent, isMain, ...own) {
    const greenlet = getCurrent();
    if (!greenlet || isMain) return load.call(this, request, parent, isMain, ...own);
    const depth = depths.get(greenlet) ?? 0;
    depths.set(greenlet, depth + 1);
    try {
      return load.call(this, request, parent, isMain, ...own);
    } finally {
      if (depth === 0) depths.delete(greenlet);
      else depths.set(greenlet, depth);
    }
  };
}
