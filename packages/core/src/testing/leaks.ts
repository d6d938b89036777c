import { statistics } from '@tendril/fiber';
import { getHub } from '../index.js';

/** Handles that a test runner keeps for itself. */
const expectedHandles = new Set([
  'TTYWrap',
  'PipeWrap',
  'FSReqCallback',
  'Immediate',
  'MessagePort',
]);
/** Turns of the event loop that things get to go. */
const patience = 20;

function leftovers(): string[] {
  const left: string[] = [];
  const hub = getHub();
  for (const task of hub.tasks()) left.push(`parked: ${task.describe()}\n${hub.stackOf(task)}`);
  const { live } = statistics();
  if (hub.taskCount === 0 && live > 0) left.push(`${live} fibers are alive`);
  const handles = process.getActiveResourcesInfo().filter((name) => !expectedHandles.has(name));
  if (handles.length > 0) left.push(`open handles: ${handles.join(', ')}`);
  return left;
}

/**
 * Rejects with an error that lists what is left: parked greenlets and where they are, live fibers, open
 * handles. Gives them a bounded number of turns of the event loop to go. For `after()` of a test file.
 */
export async function checkLeaks(): Promise<void> {
  let left: string[] = [];
  for (let turn = 0; turn < patience; turn++) {
    (globalThis as { gc?: () => void }).gc?.();
    await new Promise((resolve) => setImmediate(resolve));
    left = leftovers();
    if (left.length === 0) return;
  }
  throw new Error(`Something was left behind:\n${left.join('\n')}`);
}
