import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FiberError, support } from '@tendril/fiber';
import { fiberErrorCodes } from '#lib/errors.js';
import { checkLeaksAfterAll } from './helpers/leaks.js';

checkLeaksAfterAll();

const packageDir = fileURLToPath(new URL('..', import.meta.url));

/** What a program sees of a copy of this package that has no binaries. */
function withoutBinaries(program: string): string {
  const copy = mkdtempSync(path.join(tmpdir(), 'tendril-fiber-'));
  try {
    for (const part of ['dist', 'package.json'])
      cpSync(path.join(packageDir, part), path.join(copy, part), { recursive: true });
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', program.replace('PACKAGE', `${copy}/dist/index.js`)],
      { encoding: 'utf8' },
    );
    assert.equal(status, 0, stderr);
    return stdout.trim();
  } finally {
    rmSync(copy, { recursive: true });
  }
}

describe('where fibers run', () => {
  test('support names the engine, and no reason', () => {
    assert.deepEqual(support, { supported: true, engine: 'stack' });
  });
});

describe('where no binary is installed', () => {
  test('importing works, and support says what to do', () => {
    const printed = withoutBinaries(
      `import { support, statistics, Fiber, getContextFrame } from 'PACKAGE';
       console.log(JSON.stringify([support, statistics(), Fiber.current ?? 'none', getContextFrame() ?? 'none']));`,
    );
    const [found, counts, current, frame] = JSON.parse(printed) as [
      typeof support,
      object,
      string,
      string,
    ];
    assert.equal(found.supported, false);
    assert.equal(found.engine, 'none');
    assert.match(String(found.reason), /^No binary for Node .* Run: npx tendril-fiber-build$/);
    assert.deepEqual(counts, { live: 0, pooled: 0, created: 0, stackBytes: 0 });
    assert.deepEqual([current, frame], ['none', 'none']);
  });

  test('the first fiber throws ERR_FIBER_UNSUPPORTED with the reason', () => {
    const printed = withoutBinaries(
      `import { support, Fiber } from 'PACKAGE';
       try { new Fiber(() => 0); } catch (error) {
         console.log(error.code, error.message.endsWith(support.reason));
       }
       try { Fiber.suspend(); } catch (error) { console.log(error.code); }`,
    );
    assert.equal(printed, 'ERR_FIBER_UNSUPPORTED true\nERR_NOT_IN_FIBER');
  });
});

describe('errors', () => {
  for (const each of fiberErrorCodes) {
    test(`${each} says what was wrong in whole sentences`, () => {
      const error = new FiberError(each);
      assert.ok(error instanceof Error);
      assert.equal(error.code, each);
      assert.equal(error.name, `FiberError [${each}]`);
      assert.match(error.message, /^[A-Z`].{20,}[.]$/);
      assert.ok(new FiberError(each, 'Detail.').message.endsWith('. Detail.'));
    });
  }
});

describe('two copies of this package in one thread', () => {
  const run = (program: string) => {
    const copy = mkdtempSync(path.join(tmpdir(), 'tendril-fiber-'));
    try {
      for (const part of ['dist', 'prebuilds', 'package.json'])
        cpSync(path.join(packageDir, part), path.join(copy, part), { recursive: true });
      const { status, signal, stdout, stderr } = spawnSync(
        process.execPath,
        [
          '--expose-gc',
          '--input-type=module',
          '--eval',
          program.replace('COPY', `${copy}/dist/index.js`),
        ],
        { encoding: 'utf8', cwd: packageDir },
      );
      assert.equal(status, 0, `${signal} ${stderr}`);
      return stdout.replaceAll(copy, 'COPY').trim().split('\n');
    } finally {
      rmSync(copy, { recursive: true });
    }
  };

  test('are one engine: fibers of one suspend within those of the other', () => {
    const printed = run(`
      import { Fiber as A, FiberError } from '@tendril/fiber';
      import { Fiber as B, FiberError as OfB, statistics, support } from 'COPY';
      const deep = (n) => {
        const own = { n };
        if (n > 0) deep(n - 1);
        else B.suspend();
        if (own.n !== n) throw new Error('changed');
      };
      const b = new B(() => deep(15));
      const a = new A(() => {
        b.resume();
        for (let i = 0; i < 5; i++) {
          gc();
          gc({ type: 'minor' });
          new Array(1e5).fill({ i });
        }
        A.suspend();
        b.resume();
        return 'a ended';
      });
      a.resume();
      gc();
      console.log(a.resume(), b.state, support.supported, A === B, FiberError === OfB, statistics().live);
    `);
    assert.deepEqual(printed, ['a ended done true true true 0']);
  });

  test('one of another version is refused, and both are named', () => {
    const printed = run(`
      Object.defineProperty(process, Symbol.for('tendril.fiber.engine'), { value: { protocol: 0, place: '/there/' } });
      const { Fiber, support } = await import('COPY');
      console.log(support.reason);
      try { new Fiber(() => 0); } catch (error) { console.log(error.code); }
    `);
    assert.match(
      String(printed[0]),
      /another version of @tendril\/fiber, at \/there\/, and not to this one, at COPY\//,
    );
    assert.equal(printed[1], 'ERR_FIBER_UNSUPPORTED');
  });
});
