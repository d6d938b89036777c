import { statistics } from '@tendril/fiber';
import { getHub } from '../index.js';

type Counts = Map<string, number>;

/** What is there at one moment. */
interface Inventory {
  readonly tasks: Set<unknown>;
  readonly fibers: number;
  readonly handles: Counts;
}

/**
 * Turns of the event loop that things get to go, and after them some of ten milliseconds each: a child that
 * was asked to end has a second for it (see EndOptions), and the machine may have other work.
 */
const turns = 20;
const slowTurns = 300;

/** Comes and goes with the check itself, or belongs to the thread. */
const own = new Set(['Immediate', 'MessagePort', 'TTYWrap']);
/** Standard input, output and error may be opened at any time, and are pipes under a test runner. */
const standardPipes = 3;

function countHandles(): Counts {
  const counts: Counts = new Map();
  for (const name of process.getActiveResourcesInfo())
    if (!own.has(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function takeInventory(): Inventory {
  return { tasks: new Set(getHub().tasks()), fibers: statistics().live, handles: countHandles() };
}

/** When this module was loaded: what a test runner holds is not a test's leak. */
const atLoad: Inventory = { tasks: new Set(), fibers: 0, handles: countHandles() };

function leftovers(before: Inventory): string[] {
  const left: string[] = [];
  const hub = getHub();
  let running = 0;
  for (const task of hub.tasks()) {
    if (before.tasks.has(task) || task === hub.current) running++;
    else left.push(`${task.describe()}, parked:\n${hub.stackOf(task)}`);
  }
  // While greenlets run or are parked, the hub may keep stacks for the next ones.
  const fibers = statistics().live - before.fibers;
  if (fibers > 0 && left.length === 0 && running === 0)
    left.push(`${fibers} live fiber${fibers === 1 ? '' : 's'}`);
  for (const [name, count] of countHandles()) {
    const allowed = Math.max(
      before.handles.get(name) ?? 0,
      name === 'PipeWrap' ? standardPipes : 0,
    );
    if (count > allowed) left.push(`${count - allowed} open ${name}`);
  }
  return left;
}

/**
 * Rejects with an error that lists what is left: greenlets and where they are parked, live fibers, open
 * handles. With `fn` it counts what `fn` leaves, and resolves to its result; without, what has come
 * since the module was loaded: for `after()` at the top of a test file. Things get a bounded number of
 * turns of the event loop to go. In a greenlet: `wait(checkLeaks(fn))`; the greenlet itself is no leak.
 */
export async function checkLeaks<R>(fn?: () => R | PromiseLike<R>): Promise<R | undefined> {
  const own = getHub().current;
  const counted = typeof fn === 'function';
  const before = counted ? takeInventory() : atLoad;
  const ignored = own ? { ...before, tasks: new Set([...before.tasks, own]) } : before;
  const result = counted ? await fn() : undefined;
  let left: string[] = [];
  for (let turn = 0; turn < turns + slowTurns; turn++) {
    // What is waited for in the slow turns ends by itself: garbage is looked for only now and then.
    if (turn < turns || turn % 10 === 9) (globalThis as { gc?: () => void }).gc?.();
    await new Promise<void>((resolve) => {
      if (turn < turns) setImmediate(resolve);
      else setTimeout(resolve, 10);
    });
    left = leftovers(ignored);
    if (left.length === 0) return result;
  }
  throw new Error(`Something was left behind:\n${left.join('\n')}`);
}
