/**
 * Tells when nothing moves any more: no greenlet is ready, and one whole turn of the event loop, with
 * all promise callbacks in it, has brought nothing.
 *
 * Two kinds of code wait for that, and one goes before the other: `waitAllParked` first, clocks only
 * when nobody of those is left (trio has the same order: the clock jumps last).
 */
import { getHub } from '../index.js';

type Callback = () => void;

const greenlets = new Set<Callback>();
const clocks = new Set<Callback>();
let watching = false;

/** How many looks in a row must find nothing: two have one whole turn of the event loop between them. */
const quietLooks = 2;

function watch(): void {
  if (watching) return;
  watching = true;
  const hub = getHub();
  let { turn } = hub;
  let quiet = 0;
  const look = () => {
    quiet = hub.readyCount === 0 && hub.turn === turn ? quiet + 1 : 0;
    turn = hub.turn;
    if (quiet >= quietLooks) {
      quiet = 0;
      callFirst();
    }
    watching = greenlets.size + clocks.size > 0;
    if (watching) setImmediate(look);
  };
  setImmediate(look);
}

/** Calls those whose turn it is, each of them once. */
function callFirst(): void {
  const first = greenlets.size > 0 ? greenlets : clocks;
  const callbacks = [...first];
  first.clear();
  for (const callback of callbacks) callback();
}

/** Calls `callback` once when all is quiet. Returns how to call it off. */
export function onQuiet(kind: 'greenlet' | 'clock', callback: Callback): () => void {
  const callbacks = kind === 'greenlet' ? greenlets : clocks;
  callbacks.add(callback);
  watch();
  return () => callbacks.delete(callback);
}
