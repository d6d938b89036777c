/**
 * Random programs of five greenlets on three files: what each call has given must be what some order of whole
 * calls gives, for each file (it is linearizable, Herlihy and Wing 1990). The order is looked for as Wing and
 * Gong do it.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { joinall, run, sleep, spawn } from '@tendril/core';
import { type FsOptions, patchFs, restore } from '@tendril/core/monkey';
import { leaveNothing } from '../helpers.js';
import { temporaryFolder } from '../io-helpers.js';

leaveNothing();
after(() => restore());

const long = Boolean(process.env.TENDRIL_TEST_LONG);
const programs = long ? 10_000 : process.env.TENDRIL_TEST_SHORT ? 60 : 500;
const greenlets = 5;
const callsEach = 4;
const files = 3;
/** Bytes: some of the texts are longer, others not. */
const from = 40;

let seed = 1;
function chance(below: number): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
}

/** The text of a file; undefined: there is none. */
type Model = string | undefined;
type Outcome = string | number | boolean;

interface Kind {
  call(name: string, text: string): Outcome | undefined;
  /** What it makes of the file, and gives. Undefined: ENOENT. */
  apply(before: Model, text: string): readonly [after: Model, outcome: Outcome | undefined];
}

const none = [undefined, 'ENOENT'] as const;
const kinds: Kind[] = [
  {
    call: (name, text) => void fs.writeFileSync(name, text),
    apply: (_, text) => [text, undefined],
  },
  {
    call: (name, text) => void fs.writeFileSync(name, Buffer.from(text)),
    apply: (_, text) => [text, undefined],
  },
  {
    call: (name, text) => void fs.appendFileSync(name, text),
    apply: (before, text) => [(before ?? '') + text, undefined],
  },
  {
    call: (name) => fs.readFileSync(name, 'utf8'),
    apply: (before) => (before === undefined ? none : [before, before]),
  },
  {
    call: (name) => fs.readFileSync(name).toString(),
    apply: (before) => (before === undefined ? none : [before, before]),
  },
  {
    call: (name) => fs.statSync(name).size,
    apply: (before) => (before === undefined ? none : [before, before.length]),
  },
  { call: (name) => fs.existsSync(name), apply: (before) => [before, before !== undefined] },
  {
    call: (name) => void fs.unlinkSync(name),
    apply: (before) => (before === undefined ? none : [undefined, undefined]),
  },
  {
    call: (name) => void fs.rmSync(name, { force: true, recursive: true }),
    apply: () => [undefined, undefined],
  },
  {
    call: (name) => void fs.truncateSync(name, 3),
    apply: (before) =>
      before === undefined ? none : [before.slice(0, 3).padEnd(3, '\0'), undefined],
  },
  {
    // One call on a file, the second one: what is read is of one moment, and its name may be gone by then.
    call: (name) => {
      fs.copyFileSync(name, `${name}.${chance(1e9)}`);
      return undefined;
    },
    apply: (before) => (before === undefined ? none : [before, undefined]),
  },
];

interface Call {
  readonly file: number;
  readonly kind: Kind;
  readonly text: string;
  begun: number;
  ended: number;
  outcome: Outcome | undefined;
}

function randomCall(): Call {
  const kind = kinds[chance(kinds.length)] as Kind;
  const text = String.fromCharCode(97 + chance(26)).repeat(1 + chance(2 * from));
  return { file: chance(files), kind, text, begun: 0, ended: 0, outcome: undefined };
}

function perform(call: Call, folder: string, clock: { now: number }): void {
  call.begun = clock.now++;
  try {
    call.outcome = call.kind.call(path.join(folder, `${call.file}`), call.text);
  } catch (error) {
    call.outcome = (error as NodeJS.ErrnoException).code;
    if (call.outcome !== 'ENOENT') throw error;
  }
  call.ended = clock.now++;
}

/** Whether some order of `calls` that agrees with who ended before whom began gives all outcomes, and `last`. */
function hasOrder(calls: readonly Call[], last: Model): boolean {
  const tried = new Set<string>();
  const search = (left: readonly Call[], model: Model): boolean => {
    if (left.length === 0) return model === last;
    const key = `${left.map((call) => call.begun)} ${model}`;
    if (tried.has(key)) return false;
    tried.add(key);
    const firstEnd = Math.min(...left.map((call) => call.ended));
    return left.some((call) => {
      if (call.begun > firstEnd) return false;
      const [after, outcome] = call.kind.apply(model, call.text);
      return (
        outcome === call.outcome &&
        search(
          left.filter((other) => other !== call),
          after,
        )
      );
    });
  };
  return search(calls, undefined);
}

const readNow = (name: string): Model =>
  fs.existsSync(name) ? fs.readFileSync(name, 'utf8') : undefined;

function program(folder: string): void {
  const clock = { now: 0 };
  const all = Array.from({ length: greenlets }, () =>
    Array.from({ length: callsEach }, randomCall),
  );
  joinall(
    all.map((own) =>
      spawn(() => {
        for (const call of own) {
          if (chance(3) === 0) sleep(0);
          perform(call, folder, clock);
        }
      }),
    ),
    { raiseError: true },
  );
  for (let file = 0; file < files; file++) {
    const calls = all.flat().filter((call) => call.file === file);
    const last = readNow(path.join(folder, `${file}`));
    assert.ok(
      hasOrder(calls, last),
      JSON.stringify(calls.map((call) => ({ ...call, kind: `${call.kind.call}` }))),
    );
  }
}

for (const options of [{ from }, { park: 'all' }] as FsOptions[])
  test(`${programs} programs: some order of whole calls explains them (${JSON.stringify(options)})`, async () => {
    const top = temporaryFolder();
    patchFs(options);
    try {
      for (let n = 0; n < programs; n++) {
        const folder = path.join(top, `${n}`);
        await run(() => {
          fs.mkdirSync(folder);
          program(folder);
          fs.rmSync(folder, { recursive: true });
        });
      }
    } finally {
      restore();
    }
  });

test('what no order explains is seen', () => {
  const [write, , , read] = kinds as [Kind, Kind, Kind, Kind];
  const call = (kind: Kind, text: string, begun: number, ended: number, outcome?: Outcome) => ({
    ...{ file: 0, kind, text, begun, ended, outcome },
  });
  assert.ok(hasOrder([call(write, 'ab', 0, 3), call(read, '', 1, 2, 'ENOENT')], 'ab'));
  assert.ok(!hasOrder([call(write, 'ab', 0, 1), call(read, '', 2, 3, 'ENOENT')], 'ab'));
  assert.ok(!hasOrder([call(write, 'ab', 0, 3), call(read, '', 1, 2, 'a')], 'ab'));
});
