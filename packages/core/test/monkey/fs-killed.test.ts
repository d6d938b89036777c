/** What is left of calls whose greenlet was killed or timed out, and which functions are patched. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isExit, run, sleep, spawn, Timeout, wait, withTimeout } from '@tendril/core';
import { getOriginal, isPatched, patchFs, restore } from '@tendril/core/monkey';
import { busyThreads, leaveNothing } from '../helpers.js';
import { inRealTime, temporaryFolder } from '../io-helpers.js';

leaveNothing();
before(() => patchFs({ park: 'all' }));
after(() => restore());

const folder = temporaryFolder();
const readLink = getOriginal<typeof fs.readlinkSync>('fs', 'readlinkSync');
const readDirectory = getOriginal<(name: string) => string[]>('fs', 'readdirSync');

/** Descriptors of this process that are open on `name`. */
function openOn(name: string): string[] {
  return readDirectory('/proc/self/fd').filter((fd) => {
    try {
      return readLink(`/proc/self/fd/${fd}`) === name;
    } catch {
      return false; // the listing's own
    }
  });
}

/** Parks until no request to the file system is under way any more. */
function untilDone(): void {
  using _limit = Timeout.startNew(60_000);
  while (process.getActiveResourcesInfo().some((name) => name.startsWith('FSReq'))) sleep(1);
}

let pipes = 0;

/** A pipe with a name, which blocks whoever opens it until `release`. */
function blockedPipe(): { name: string; release(): void } {
  const name = path.join(folder, `pipe${++pipes}`);
  execFileSync('mkfifo', [name]);
  return {
    name,
    // Both ends at once never block, and let both in.
    release: () => fs.closeSync(fs.openSync(name, 'r+')),
  };
}

/** Kills `call` while it waits, lets it go on then, and returns the error that its greenlet has seen. */
function killed(name: string, release: () => void, call: () => unknown): unknown {
  let seen: unknown;
  const greenlet = spawn(() => {
    try {
      call();
    } catch (error) {
      seen = error;
      throw error;
    }
  });
  sleep(0);
  greenlet.kill();
  release();
  untilDone();
  // Node closes what it has opened in a request of its own, which may not have begun yet.
  using _limit = Timeout.startNew(60_000);
  while (openOn(name).length > 0) sleep(1);
  return seen;
}

describe('fs in a greenlet that is killed', () => {
  test(
    'a descriptor that comes late is closed',
    inRealTime(() => {
      const { name, release } = blockedPipe();
      const seen = killed(name, release, () => fs.openSync(name, 'r'));
      assert.ok(isExit(seen), String(seen));
    }),
  );

  test(
    'a file that is read or written whole is given up',
    inRealTime(() => {
      const one = blockedPipe();
      assert.ok(isExit(killed(one.name, one.release, () => fs.readFileSync(one.name))));
      const two = blockedPipe();
      assert.ok(isExit(killed(two.name, two.release, () => fs.writeFileSync(two.name, 'text'))));
    }),
  );

  test(
    'nothing goes through a pipe for the dead',
    inRealTime(() => {
      const one = blockedPipe();
      const read = () => {
        text = fs.readFileSync(one.name, 'utf8');
      };
      let text: string | undefined;
      killed(one.name, read, () => fs.writeFileSync(one.name, 'text'));
      assert.equal(text, '');
    }),
  );

  const large = Buffer.alloc(100_000, 'x');
  const begun: Record<string, [call: (name: string, fd: number) => void, bytes: number]> = {
    writeFile: [(name) => fs.writeFileSync(name, large), 100_000],
    appendFile: [(name) => fs.appendFileSync(name, large), 100_005],
    write: [(_, fd) => fs.writeSync(fd, large), 100_000],
    writev: [(_, fd) => fs.writevSync(fd, [large, large]), 200_000],
    copyFile: [(name) => fs.copyFileSync(`${name}-large`, name), 100_000],
    cp: [(name) => fs.cpSync(`${name}-large`, name), 100_000],
    rm: [(name) => fs.rmSync(path.dirname(name), { recursive: true }), Number.NaN],
  };
  for (const [what, [call, bytes]] of Object.entries(begun))
    test(
      `what has begun goes on to its end, and is waited for: ${what}`,
      inRealTime(() => {
        const name = path.join(folder, what, 'file');
        fs.mkdirSync(path.dirname(name));
        fs.writeFileSync(name, 'short');
        fs.writeFileSync(`${name}-large`, large);
        const fd = fs.openSync(name, 'r+');
        const free = busyThreads();
        const greenlet = spawn(() => call(name, fd));
        sleep(0);
        greenlet.kill();
        assert.ok(isExit(greenlet.value));
        const size = fs.statSync(name, { throwIfNoEntry: false })?.size;
        assert.equal(size ?? Number.NaN, bytes);
        wait(free);
        fs.closeSync(fd);
      }),
    );

  test(
    'a Timeout is what its greenlet sees',
    inRealTime(() => {
      const { name, release } = blockedPipe();
      assert.throws(() => withTimeout(1, () => fs.openSync(name, 'w')), Timeout);
      release();
      untilDone();
      while (openOn(name).length > 0) sleep(1);
    }),
  );
});

/** Functions of fs that are left alone. */
const leftAlone: Record<string, string> = {
  openAsBlobSync: 'its asynchronous form does the same, on the same thread',
};

describe('patchFs', () => {
  test('patches every function that ends in Sync', () => {
    for (const [name, value] of Object.entries(fs))
      if (name.endsWith('Sync') && typeof value === 'function')
        assert.equal(isPatched('fs', name), !(name in leftAlone), name);
    assert.ok(isPatched('fs', 'realpathSync.native'));
  });

  test('leaves names and lengths as they were', () => {
    const original = getOriginal('fs', 'readFileSync');
    assert.notEqual(fs.readFileSync, original);
    assert.deepEqual(
      [fs.readFileSync.name, fs.readFileSync.length],
      ['readFileSync', original.length],
    );
  });

  test('a size of a directory that is refused is refused where it was asked for', async () => {
    // By an error of the caller's, not one that nobody can catch.
    await run(() =>
      assert.throws(() => fs.opendirSync(folder, { bufferSize: 0 }), { code: 'ERR_OUT_OF_RANGE' }),
    );
  });

  test('a filter of cpSync is called in its greenlet', async () => {
    fs.mkdirSync(path.join(folder, 'from'));
    const asked = await run(() => {
      const names: string[] = [];
      const filter = (from: string) => {
        sleep(0);
        names.push(path.basename(from));
        return true;
      };
      fs.cpSync(path.join(folder, 'from'), path.join(folder, 'to'), { filter, recursive: true });
      return names;
    });
    assert.deepEqual(asked, ['from']);
  });
});
