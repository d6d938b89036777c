/**
 * Table tests of patched functions: each row is a call that is made before patching, patched outside a
 * greenlet, patched inside one, and after `restore()`. Every time the outcome and what is on the disk
 * must be what they were the first time.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { run, spawn } from '@tendril/core';
import { restore } from '@tendril/core/monkey';
import { describeError, describeValue } from './describe-outcome.js';
import { type Io, ScratchDirectory } from './scratch.js';

export type { Io } from './scratch.js';

export interface Row {
  readonly title: string;
  /** Makes the call. Its directory is made anew for each way, at the same path. */
  call(io: Io): unknown;
  /** What is compared of the result, where that is not all of it: a key's type instead of its bits. */
  view?(result: never, io: Io): unknown;
  /** The first major version of Node that has it. */
  readonly since?: number;
  /** Whether this Node has it, where a major version does not tell. */
  readonly when?: boolean;
  /**
   * Whether the call parks in a greenlet. By default it must, unless it ends in an error, which may be said
   * at once: then either will do.
   */
  readonly parks?: boolean | 'either';
}

export interface TableOptions {
  /** `import.meta.url` of the table: stacks of errors must name it. */
  readonly file: string;
  /** Patches what the table is about; `restore()` follows. */
  patch(): void;
  /** Titles of calls that need not park: what they do costs less than a switch. */
  readonly atOnce?: RegExp;
}

type Outcome =
  | { readonly result: unknown; readonly error?: never }
  | { readonly error: unknown; readonly result?: never };

interface Description {
  readonly error?: object;
  readonly result?: unknown;
  /** Files that are still open. */
  readonly left: readonly string[];
  readonly disk: Readonly<Record<string, string>>;
}

// A replacement is one frame more, which must not push the caller out of the stack.
Error.stackTraceLimit = 50;

const major = Number(process.versions.node.split('.')[0]);

/** Makes a test of each row that this Node can run, and returns how many there are. */
export function testTable({ file, patch, atOnce }: TableOptions, rows: readonly Row[]): number {
  const scratch = new ScratchDirectory();
  after(() => scratch.remove());
  const usable = rows.filter(({ since = 0, when = true }) => when && major >= since);
  const titles = new Set(usable.map((row) => row.title));
  assert.equal(titles.size, usable.length, 'each row has a title of its own');
  for (const row of usable)
    test(row.title, async () => {
      let parked = false;
      const describe = (outcome: Outcome) => describeOutcome(row, outcome, scratch, file);
      const callHere = () => {
        scratch.prepare();
        return describe(attempt(row, scratch));
      };
      const callInGreenlet = async () => {
        scratch.prepare();
        // Node's own functions call each other through the module: only the call itself is made here.
        const outcome = await run(() => {
          const other = spawn(() => {
            parked = true;
          });
          const attempted = attempt(row, scratch);
          other.kill({ block: false });
          return attempted;
        });
        return describe(outcome);
      };
      const expected = callHere();
      patch();
      try {
        assert.deepEqual(callHere(), expected, 'patched, outside greenlets: as unpatched');
        assert.deepEqual(await callInGreenlet(), expected, 'patched, in a greenlet: as unpatched');
      } finally {
        restore();
      }
      assert.deepEqual(callHere(), expected, 'restored: as unpatched');
      if (!atOnce?.test(row.title)) checkParked(row, expected, parked);
    });
  return usable.length;
}

function attempt(row: Row, io: Io): Outcome {
  try {
    return { result: row.call(io) };
  } catch (error) {
    return { error };
  }
}

/** What has come of a call, so that it can be compared, and what it has left. */
function describeOutcome(
  { view }: Row,
  outcome: Outcome,
  scratch: ScratchDirectory,
  file: string,
): Description {
  const failed = 'error' in outcome;
  const seen = failed || !view ? outcome.result : view(outcome.result as never, scratch);
  const described = failed
    ? { error: describeError(outcome.error, file) }
    : { result: describeValue(seen) };
  scratch.closeFiles();
  return { ...described, left: scratch.openFiles(), disk: scratch.list() };
}

/** No row passes because the original has run after all. */
function checkParked({ parks }: Row, { error }: Description, parked: boolean): void {
  if (parks === 'either' || (parks === undefined && error !== undefined)) return;
  assert.equal(parked, parks ?? true, 'whether other greenlets ran during the call');
}
