/**
 * When children are started: in the order in which they were asked for, one in each turn of the event
 * loop, and no more at once than there are places.
 *
 * A start stops the whole process for some milliseconds, more with a large heap (fork(2) copies page
 * tables), and a hundred in one turn would be a stall for everybody. All that run at once take the
 * machine's memory, and descriptors of this process, which one after the other would never have needed.
 *
 * No place is a wall, for who holds one may wait for who stands in line: a child that asks this
 * process's server, whose handler wants a child. When none has ended for a second, the first in line
 * starts all the same.
 */
import { availableParallelism } from 'node:os';
import { snapshotContext, withoutContext } from '../index.js';

/** Most children wait more than they work. */
const waitingOnes = 60;
/** Milliseconds without an end of a child. */
const patience = 1000;
/** So often it is tried in vain: by then nobody is about to give back what the system is short of. */
const attempts = 30;

/** Where a child stands: in line, or running. */
export class Place {
  readonly #start: (place: Place) => void;
  #inContext: ((start: () => void) => void) | undefined;
  #held = false;
  /** Nobody's end would help it: what the system is short of is the answer. */
  #last = false;

  /** `start` is called when it is this one's turn: at once, if it can be. */
  constructor(start: (place: Place) => void) {
    this.#start = start;
    if (mustWait()) {
      this.#inContext = snapshotContext();
      line.add(this);
      advance();
    } else begin(this);
  }

  /** For {@link begin}: it is its turn. */
  take(last: boolean): void {
    this.#held = true;
    this.#last = last;
    if (this.#inContext) this.#inContext(() => this.#start(this));
    else this.#start(this);
  }

  /** It was started in vain, for want of descriptors, processes or memory. True: it will be tried again. */
  retry(): boolean {
    if (!this.#held || this.#last) return false;
    this.#held = false;
    this.#inContext ??= snapshotContext();
    again.push(this);
    short = --held > 0;
    advance();
    return true;
  }

  /** Its child has ended, or none is wanted any more. */
  leave(): void {
    if (this.#held) {
      this.#held = short = false;
      held--;
      insisted = 0;
      stopTimer();
    } else {
      line.delete(this);
      const at = again.indexOf(this);
      if (at >= 0) again.splice(at, 1);
    }
    advance();
  }
}

/** Those who have not started, in order; first of all those who have tried. */
const line = new Set<Place>();
const again: Place[] = [];
let places = 2 * availableParallelism() + waitingOnes;
let held = 0;
/** Something has been started in this turn. */
let turnTaken = false;
/** The last start was in vain: nobody is tried again before somebody has left. */
let short = false;
/** How often somebody has started in spite of that since. */
let insisted = 0;
let timer: NodeJS.Timeout | undefined;

/** How many children may run at once. */
export function setPlaces(count: number): void {
  places = count;
  advance();
}

/** Whether who comes now would have to wait. */
export function mustWait(): boolean {
  return turnTaken || short || held >= places || line.size > 0 || again.length > 0;
}

function begin(place: Place): void {
  turnTaken = true;
  withoutContext(() =>
    setImmediate(() => {
      turnTaken = false;
      advance();
    }),
  );
  held++;
  place.take(held === 1 || insisted >= attempts);
}

/** Lets the first in line start, if it may. `insist`: it may in any case. */
function advance(insist = false): void {
  if (turnTaken) return;
  const next = again[0] ?? line.values().next().value;
  if (!next) stopTimer();
  else if (insist || !(short || held >= places)) {
    if (next === again[0]) again.shift();
    else line.delete(next);
    begin(next);
  } else timer ??= withoutContext(() => setTimeout(insistOnce, patience));
}

function insistOnce(): void {
  timer = undefined;
  insisted++;
  advance(true);
}

function stopTimer(): void {
  clearTimeout(timer);
  timer = undefined;
}
