/**
 * docs/patched-functions.md against what patchAll() does: every function that it replaces has a row, no row is of
 * anything else, and each parks as its row says.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, describe, test } from 'node:test';
import { config, run, wait } from '@tendril/core';
import { patchAll, restore } from '@tendril/core/monkey';
import { AresResolver } from '@tendril/core/resolver';
import { replaced } from '#src/monkey/registry.js';
import { DnsServer } from '../dns-server.js';
import { leaveNothing, parks } from '../helpers.js';
import { ScratchDirectory } from './scratch.js';
import { type Prepare, smallestCalls, started } from './smallest-calls.js';

leaveNothing();

interface Row {
  readonly module: string;
  readonly name: string;
  /** The first version of Node that has it patched: major and minor. */
  readonly since: readonly [number, number];
  readonly parks: string;
  readonly cells: readonly string[];
}

const page = readFileSync(
  new URL('../../../../docs/patched-functions.md', import.meta.url),
  'utf8',
);
const rows = readRows(page);

/** The tables of the page: one below each heading that names a module. */
function readRows(text: string): Row[] {
  const found: Row[] = [];
  let module = '';
  for (const line of text.split('\n')) {
    const [, heading] = /^## `(.+)`$/.exec(line) ?? [];
    if (heading) module = heading;
    const [, name, major = '0', minor = '0', rest] =
      /^\| `([^`]+)`(?: from (\d+)\.(\d+))? \| (.*) \|$/.exec(line) ?? [];
    if (!name || rest === undefined) continue;
    const cells = rest.split(' | ');
    const since = [Number(major), Number(minor)] as const;
    found.push({ module, name, since, parks: cells[0] as string, cells });
  }
  return found;
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const isHere = ({ since: [first, second] }: Row) =>
  major > first || (major === first && minor >= second);
const here = rows.filter(isHere);
const titleOf = ({ module, name }: { module: string; name: string }) => `${module}: ${name}`;

describe('the page', () => {
  test('has a row for each function that is replaced on this Node, and for no other', () => {
    patchAll();
    try {
      const found = [...replaced].flatMap(([module, functions]) =>
        [...functions.keys()].map((name) => titleOf({ module, name })),
      );
      assert.deepEqual(here.map(titleOf).sort(), found.sort());
    } finally {
      restore();
    }
  });

  test('has one row for each, in the order of their names, with all cells', () => {
    assert.ok(rows.length > 100);
    for (const [at, row] of rows.entries()) {
      assert.equal(row.cells.length, 4, titleOf(row));
      assert.ok(!row.cells.includes(''), titleOf(row));
      const last = rows[at - 1];
      if (last?.module === row.module)
        assert.ok(last.name.toLowerCase() < row.name.toLowerCase(), titleOf(row));
    }
  });

  test('is of functions that there are calls of, all of them', () => {
    const called = Object.entries(smallestCalls).flatMap(([module, calls]) =>
      Object.keys(calls).map((name) => titleOf({ module, name })),
    );
    const all = new Set(rows.map(titleOf));
    assert.deepEqual(
      called.filter((title) => !all.has(title)),
      [],
    );
  });
});

const units: Record<string, number> = { KiB: 2 ** 10, MiB: 2 ** 20 };

/** With how much each a call must not park, and must: by what stands first in its cell. */
function limits(cell: string): { little?: number; much?: number } {
  const [kind = ''] = cell.split(/[;,]/);
  const [, count, unit = ''] = /^from (\d+) ([KM]iB)/.exec(kind) ?? [];
  const size = Number(count) * (units[unit] ?? 0);
  if (size > 0) return { little: size - 1, much: size };
  if (kind === 'never') return { little: 0 };
  if (kind === 'always') return { much: 1 };
  if (kind === 'trees' || kind === 'pipes') return { little: 0, much: 1 };
  throw new Error(`no way of parking: ${cell}`);
}

describe('functions of Node park', () => {
  const scratch = new ScratchDirectory();
  let server: DnsServer;
  let resolver: AresResolver;
  before(async () => {
    server = await DnsServer.start(() => ({ rcode: 'NXDOMAIN' }));
    resolver = new AresResolver({ hostsFile: '/none', servers: [server.address] });
    config.resolver = resolver;
  });
  afterEach(() => scratch.closeFiles());
  after(async () => {
    config.resolver = undefined;
    resolver.close();
    await server.stop();
    scratch.remove();
  });

  /** Whether the smallest call of a function parks. */
  async function parksWith({ module, name }: Row, much: number): Promise<boolean> {
    const prepare = smallestCalls[module]?.[name] as Prepare;
    scratch.prepare();
    return run(() => {
      const parked = parks(prepare(scratch, much));
      wait(Promise.allSettled(started.splice(0)));
      return parked;
    });
  }

  describe('each as its row says', () => {
    before(() => patchAll());
    after(() => restore());
    for (const row of here)
      test(`${titleOf(row)}: ${row.parks}`, async () => {
        const { little, much } = limits(row.parks);
        if (little !== undefined) assert.equal(await parksWith(row, little), false, 'with less');
        if (much !== undefined) assert.equal(await parksWith(row, much), true, 'with so much');
      });
  });

  describe('all as the page says', () => {
    const files = here.filter(({ module }) => module === 'fs');
    const [, exceptions = ''] =
      /With `park: 'all'` every function of this table parks but ([^;]*);/.exec(page) ?? [];
    afterEach(() => restore());

    test("with park: 'all' every function of fs but those that it names", async () => {
      patchAll({ fs: { park: 'all' } });
      for (const row of files)
        assert.equal(await parksWith(row, 1), !exceptions.includes(`\`${row.name}\``), row.name);
    });

    test("with park: 'none' no function of fs", async () => {
      patchAll({ fs: { park: 'none' } });
      for (const row of files) {
        const { little, much } = limits(row.parks);
        const waits = row.parks === 'pipes'; // for ever, then
        assert.equal(await parksWith(row, (waits ? little : much) ?? 0), false, row.name);
      }
    });
  });
});
