import assert from 'node:assert/strict';
import childProcess from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { GreenletExit, run as runGreenlet, sleep, spawn, Timeout } from '@tendril/core';
import { patchChildProcess, restore } from '@tendril/core/monkey';
import { run } from '@tendril/core/subprocess';
import { leaveNothing } from '../helpers.js';
import { inRealTime, temporaryFolder } from '../io-helpers.js';

leaveNothing();
const folder = temporaryFolder();

before(patchChildProcess);
after(() => restore('child_process'));

/** Parks until a file holds a line; returns it. */
function lineOf(name: string): string {
  using _limit = Timeout.startNew(60_000);
  for (;;) {
    const text = existsSync(name) ? readFileSync(name, 'utf8') : '';
    if (text.endsWith('\n')) return text.trim();
    sleep(5);
  }
}

/** Parks until no process has this pid. A zombie that init has yet to reap counts as gone. */
function untilGone(pid: string): void {
  using _limit = Timeout.startNew(60_000);
  for (;;) {
    const state = run('ps', ['-o', 'stat=', '-p', pid]).stdout.trim();
    if (state === '' || state.startsWith('Z')) return;
    sleep(10);
  }
}

describe('a greenlet that waits for a child', () => {
  test(
    'is killed, and the child ends with all that it has started',
    inRealTime(() => {
      const file = path.join(folder, 'killed');
      const waiting = spawn(() => childProcess.execSync(`sleep 600 & echo $! > ${file}; wait`));
      const pid = lineOf(file);
      waiting.kill();
      assert.ok(waiting.value instanceof GreenletExit);
      untilGone(pid);
    }),
  );

  test(
    'is killed, and what the child has left running ends though it ignores the signal',
    inRealTime(() => {
      const file = path.join(folder, 'stubborn');
      const stubborn = `(trap "" TERM; exec sh -c 'echo $$ > ${file}; exec sleep 600') & wait`;
      const commands = [() => childProcess.execSync(stubborn), () => run('sh', ['-c', stubborn])];
      for (const [at, command] of commands.entries()) {
        // With a terminal the first has no group: what ignores the signal is not ended.
        if (at === 0 && hasTerminal()) continue;
        rmSync(file, { force: true });
        const waiting = spawn(() => void command());
        const pid = lineOf(file);
        waiting.kill();
        untilGone(pid);
      }
    }),
  );

  test(
    'sees its own Timeout, even when only what the child has left running holds the output',
    inRealTime(() => {
      const file = path.join(folder, 'left');
      const limit = new Timeout(600_000);
      const waiting = spawn(() => {
        limit.start();
        try {
          return childProcess.execSync(`sleep 600 & echo $! > ${file}`);
        } catch (error) {
          return error;
        }
      });
      const pid = lineOf(file);
      waiting.kill({ error: limit });
      assert.equal(waiting.get(), limit);
      limit.cancel();
      // With a terminal there is no group, and what has left its parent is not found.
      if (!hasTerminal()) untilGone(pid);
      else process.kill(Number(pid));
    }),
  );

  test(
    'is killed before the child was started: none is',
    inRealTime(() => {
      const file = path.join(folder, 'never');
      const first = spawn(() => childProcess.execSync('true'));
      const second = spawn(() => childProcess.execSync(`echo x > ${file}`));
      sleep(0);
      second.kill();
      first.get();
      childProcess.execSync('true');
      assert.equal(existsSync(file), false);
    }),
  );

  test(
    'finds environment and directory as they were at its call',
    inRealTime(() => {
      const before = process.cwd();
      const first = spawn(() => childProcess.execSync('pwd', { encoding: 'utf8' }));
      const second = spawn(() => {
        process.chdir(folder);
        process.env.TENDRIL_TEST = 'set';
        return childProcess.execSync('pwd; echo $TENDRIL_TEST', { encoding: 'utf8' });
      });
      sleep(0);
      process.chdir(before);
      delete process.env.TENDRIL_TEST;
      assert.equal(first.get(), `${before}\n`);
      assert.equal(second.get(), `${folder}\nset\n`);
    }),
  );

  test(
    'writes errors of execSync to the standard errors of this process',
    inRealTime(() => {
      const program = `
        import { run } from '@tendril/core';
        import { patchAll } from '@tendril/core/monkey';
        import { execSync } from 'node:child_process';
        patchAll();
        await run(() => execSync('echo seen >&2') && execSync('echo hidden >&2', { stdio: 'pipe' }));`;
      const { stderr } = run(process.execPath, ['--input-type=module', '-e', program]);
      assert.equal(stderr, 'seen\n');
    }),
  );
});

function hasTerminal(): boolean {
  return run('sh', ['-c', 'exec < /dev/tty'], { group: false, stderr: 'ignore' }).status === 0;
}

describe('many children', () => {
  test('a timer keeps its rhythm while 100 greenlets are in execSync', async (t) => {
    const seconds = 1;
    // The worst of a hundred ticks, where others may take the processor away for longer than all of them: what
    // holds the loop up does so each time.
    const attempts = 5;
    const lateness = async (work: () => Promise<unknown>) => {
      const late: number[] = [];
      let last = performance.now();
      const timer = setInterval(() => {
        const now = performance.now();
        late.push(now - last - 10);
        last = now;
      }, 10);
      const began = performance.now();
      await work();
      clearInterval(timer);
      const sorted = late.sort((a, b) => a - b);
      const p99 = sorted[Math.floor(sorted.length * 0.99)] as number;
      return { p99, took: performance.now() - began };
    };
    for (let attempt = 1; ; attempt++) {
      // What a timer does here beside as many greenlets that only sleep.
      const bare = await lateness(() => {
        const sleep100 = Array.from({ length: 100 }, () =>
          runGreenlet(() => sleep(1000 * seconds)),
        );
        return Promise.all(sleep100);
      });
      const busy = await lateness(() =>
        Promise.all(
          Array.from({ length: 100 }, () =>
            runGreenlet(() => childProcess.execSync(`sleep ${seconds}`)),
          ),
        ),
      );
      t.diagnostic(`${JSON.stringify({ bare, busy })}`);
      const inRhythm = busy.p99 < 20 + 10 * Math.max(1, bare.p99);
      if (!inRhythm && attempt < attempts) continue;
      assert.ok(inRhythm, `${busy.p99} ms late, bare ${bare.p99} ms`);
      // One after the other would take 100 s.
      assert.ok(busy.took < 20_000 * seconds, `took ${busy.took} ms`);
      return;
    }
  });
});
