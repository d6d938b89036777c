/**
 * Where greenlets were spawned, for reports.
 *
 * A stack trace costs more than the whole rest of a spawn (2.5 us against 0.5), so only the first few
 * spawns of a turn take one. Those after them share the latest, which is the same place for the loop
 * that spawned them all.
 */
import { hub } from '../hub/hub.js';
import { isOwnFrame, limitTraces } from '../own-code.js';

export interface SpawnSite {
  stack?: string;
}

const tracesPerTurn = 4;
/** Enough to get out of core's own frames (Pool.map, Greenlet and so on). */
const framesPerTrace = 6;

let turn = -1;
let left = 0;

let given: SpawnSite | undefined;

/** Runs `make`, whose greenlets are said to be spawned at `site`: for servers, which spawn many. */
export function atSite<T>(site: SpawnSite, make: () => T): T {
  given = site;
  try {
    return make();
  } finally {
    given = undefined;
  }
}

/** The site of the spawn that is under way. */
export function spawnSite(): SpawnSite {
  if (given) return given;
  if (hub.turn !== turn) {
    turn = hub.turn;
    left = tracesPerTurn;
  }
  if (left === 0 && hub.ofTurn) return hub.ofTurn;
  if (left > 0) left--;
  const limit = limitTraces(framesPerTrace);
  const site: SpawnSite = {};
  Error.captureStackTrace(site, spawnSite);
  limitTraces(limit);
  hub.ofTurn = site;
  return site;
}

/** The first frame outside core, as in "at main (file:///app.js:3:1)"; undefined if there is none. */
export function siteFrame(site: SpawnSite): string | undefined {
  return site.stack
    ?.split('\n')
    .slice(1)
    .map((line) => line.trim())
    .find((line) => line.startsWith('at ') && !isOwnFrame(line));
}
