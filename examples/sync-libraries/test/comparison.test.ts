/**
 * Real libraries under the flag, unchanged, by fifty greenlets at once: what comes of it is what comes
 * of it in plain Node, for one after the other.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differences } from './comparison/differences.js';
import { type Harvest, harvest, type Results } from './comparison/harvest.js';

/** By the file of their cases, which share a process. */
const kinds = ['loggers', 'files', 'stores', 'trees', 'commands', 'answers', 'archives', 'uploads'];
/** Each ends its process. */
const exits = ['pino', 'tmp', 'proper-lockfile'];

async function both(kind: string, only?: string): Promise<{ plain: Harvest; flag: Harvest }> {
  const [plain, flag] = await Promise.all([
    harvest('plain', kind, only),
    harvest('greenlets', kind, only),
  ]);
  return { plain, flag };
}

/** A case that fails in plain Node shows nothing. */
function assertSound({ prepared, users, finished, uncaught }: Results): void {
  const failed = [prepared, ...users, finished].filter((outcome) => outcome && 'threw' in outcome);
  assert.deepEqual([...failed, ...uncaught], []);
}

function assertSame(plain: unknown, flag: unknown): void {
  const found = differences(plain, flag);
  const shown = found.slice(0, 10).join('\n');
  assert.equal(found.length, 0, `${found.length} differences under the flag:\n${shown}`);
}

for (const kind of kinds) {
  test(kind, async (t) => {
    const { plain, flag } = await both(kind);
    const libraries = Object.keys(plain.libraries);
    assert.ok(libraries.length > 0, JSON.stringify(plain.process));
    for (const library of libraries)
      await t.test(library, () => {
        assertSound(plain.libraries[library]?.results as Results);
        assertSame(plain.libraries[library], flag.libraries[library]);
      });
    await t.test('what they print, and how the process ends', () => {
      assertSame(plain.process, flag.process);
    });
  });
}

for (const library of exits)
  test(`${library}, where the process exits`, async () => {
    const { plain, flag } = await both('exits', library);
    assert.equal(plain.libraries[library]?.results, undefined, 'it has gone on in plain Node');
    assertSame(plain, flag);
  });
