/**
 * What Node's own functions call within a call, by way of their module: it belongs to that call, about which all has
 * been decided. `readFileSync` opens, reads and closes by `fs.openSync`, `fs.readSync` and `fs.closeSync`.
 */
import { type Greenlet, getCurrent } from '../index.js';

/** The one that was the last to begin such a call. Another may run in its midst, if it calls code of users. */
let inside: Greenlet | undefined;

/** Calls an original that parks nowhere, whatever it calls. */
export function inOneGo<T>(call: () => T): T {
  const greenlet = getCurrent();
  if (inside === greenlet) return call();
  inside = greenlet;
  try {
    return call();
  } finally {
    if (inside === greenlet) inside = undefined;
  }
}

export function isWithin(): boolean {
  return inside !== undefined && inside === getCurrent();
}
