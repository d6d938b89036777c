/**
 * Who may be at a file. While a call is parked in the middle of its work, those of others that would see it
 * half done, or be seen so, wait for its end: no two calls on one file interleave, as they never did when
 * each was done in one piece. What only reads shares.
 *
 * A call names all that it is about in one claim, and waits for nothing else while it has that: there is no
 * deadlock. They are let in in the order in which they came. What Node's own functions call within a call belongs
 * to that, and claims nothing.
 */
import { type Greenlet, getCurrent, park } from '../../index.js';
import { mayPark } from '../reentry/index.js';
import { forgetSmall } from './policy.js';

/** What a call is about. */
export interface Claim {
  /** It changes something. */
  readonly writes: boolean;
  /** Absolute paths. */
  readonly paths: readonly string[];
  /** The same without links, and with what they lead to: asked for only where files have no numbers to tell. */
  readonly realPaths: readonly string[];
  /** All that is below them, too. */
  readonly trees?: boolean;
  /** Files by their number, whatever they are called: of each path, if there was one. */
  readonly files: string[];
  /** What even readers do not share: the place up to which a descriptor has been read, or written. */
  readonly alone?: readonly string[];
  /** What it goes by, where that is no path. */
  readonly descriptor?: number;
}

interface Waiting {
  readonly claim: Claim;
  letIn(): void;
  refuse(): void;
}

/** What a call throws that waited in line with a descriptor that has been closed. */
export const refusedInLine = new Error('The descriptor has been closed.');

const held = new Set<Claim>();
const line: Waiting[] = [];

function isIn(path: string, tree: string): boolean {
  if (tree === '/') return true;
  return path.startsWith(tree) && (path.length === tree.length || path[tree.length] === '/');
}

function meet(one: Claim, other: Claim): boolean {
  if (one.alone?.some((each) => other.alone?.includes(each))) return true;
  if (!one.writes && !other.writes) return false;
  if (one.files.some((file) => other.files.includes(file))) return true;
  if (one.paths.some((path) => other.paths.includes(path))) return true;
  const isTold = [one, other].every(
    (each) => !each.trees && each.files.length >= each.paths.length,
  );
  return !isTold && arePlacesShared(one, other);
}

function arePlacesShared(one: Claim, other: Claim): boolean {
  return one.realPaths.some((path) =>
    other.realPaths.some(
      (second) =>
        path === second ||
        (one.trees === true && isIn(second, path)) ||
        (other.trees === true && isIn(path, second)),
    ),
  );
}

/** A call that a greenlet is in. What is called within it may go on when it has ended: then its greenlet was killed. */
interface Stay {
  readonly claim: Claim;
  /** Itself, and what is called within it. */
  parts: number;
}

const stays = new WeakMap<Greenlet, Stay>();

/** Whether a call of this greenlet may have to wait: somebody is in, and it is no part of a call that is. */
export function mightWait(): boolean {
  return held.size > 0 && !stays.has(getCurrent() as Greenlet);
}

/** Whether who comes now with `claim` has to wait. */
export function mustWaitFor(claim: Claim): boolean {
  return mustWait(claim, line.length);
}

/**
 * Parks, if that may be, until nobody is at what `claim` names, and calls `work`, whose argument lets the next ones in: once,
 * at any time, also after the greenlet has died.
 */
export function inClaim<T>(claim: Claim, work: (leave: () => void) => T): T {
  const greenlet = getCurrent() as Greenlet;
  const outer = stays.get(greenlet);
  if (outer) return work(partOf(outer));
  if (claim.writes) forgetSmall();
  enter(claim);
  const stay = { claim, parts: 0 };
  stays.set(greenlet, stay);
  try {
    return work(partOf(stay));
  } finally {
    stays.delete(greenlet);
  }
}

/** Returns how it ends. The last one to end lets others in. */
function partOf(stay: Stay): () => void {
  stay.parts++;
  return () => {
    if (--stay.parts === 0) leave(stay.claim);
  };
}

function enter(claim: Claim): void {
  // A package that nobody may enter goes on at once, as code outside greenlets does.
  if (!mustWaitFor(claim) || !mayPark()) {
    held.add(claim);
    return;
  }
  park<void>((resume) => {
    const waiting: Waiting = {
      claim,
      letIn: () => resume(),
      refuse: () => resume.error(refusedInLine),
    };
    line.push(waiting);
    return () => {
      line.splice(line.indexOf(waiting), 1);
      letIn();
    };
  });
}

/** Those before it in the line go first, if they are about the same. */
function mustWait(claim: Claim, before: number): boolean {
  for (const each of held) if (meet(claim, each)) return true;
  for (let at = 0; at < before; at++) if (meet(claim, (line[at] as Waiting).claim)) return true;
  return false;
}

function leave(claim: Claim): void {
  if (claim.writes) forgetSmall(); // who waits has looked at it in the midst of the change
  if (held.delete(claim)) letIn();
}

/** For when a descriptor has been closed. */
export function refuseInLine(fd: number): void {
  const refused = line.filter(({ claim }) => claim.descriptor === fd);
  if (refused.length === 0) return;
  for (const waiting of refused) {
    line.splice(line.indexOf(waiting), 1);
    waiting.refuse();
  }
  letIn();
}

function letIn(): void {
  for (let at = 0; at < line.length; ) {
    const waiting = line[at] as Waiting;
    if (mustWait(waiting.claim, at)) at++;
    else {
      line.splice(at, 1);
      held.add(waiting.claim);
      waiting.letIn();
    }
  }
}
