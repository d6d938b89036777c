import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { InvalidArgumentError, spawn, Timeout } from '@tendril/core';
import { CalledProcessError, check, Popen, run } from '@tendril/core/subprocess';
import { VirtualClock } from '@tendril/core/testing';
import { leaveNothing } from './helpers.js';
import { inRealTime, temporaryFolder, until } from './io-helpers.js';

leaveNothing();
const folder = temporaryFolder();

const node = process.execPath;
const code = (expected: string) => (error: unknown) =>
  (error as { code: string }).code === expected;

/** A shell that starts a sleeper of its own and prints the sleeper's pid. */
const family = ['-c', 'sleep 60 & echo $!; wait'];

/** Parks until no process has this pid. A zombie that init has yet to reap counts as gone. */
function untilGone(pid: number): void {
  until(() => !isAlive(pid));
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

let files = 0;

/**
 * A shell that starts a sleeper, and then waits for it, or ends before it: then the sleeper is all that
 * is left of the group. `sleeper()` parks until that is so, and gives its pid.
 */
function starter(then: 'wait' | 'exit'): { script: string[]; sleeper: () => number } {
  const file = path.join(folder, `pid-${files++}`);
  const read = () => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  return {
    script: ['-c', `sleep 60 & echo $! $$ > ${file}; ${then}`],
    sleeper() {
      until(() => read().endsWith('\n'));
      const [pid = 0, shell = 0] = read().split(' ').map(Number);
      if (then === 'exit') until(() => !existsSync(`/proc/${shell}`));
      return pid;
    },
  };
}

describe('run and check', () => {
  test(
    'collect output, status and signal',
    inRealTime(() => {
      const program = 'process.stdout.write("out"); process.stderr.write("err"); process.exit(3)';
      assert.deepEqual(run(node, ['-e', program]), {
        stdout: 'out',
        stderr: 'err',
        status: 3,
        signal: null,
      });
      assert.deepEqual(run('sh', ['-c', 'kill -TERM $$']).signal, 'SIGTERM');
      assert.equal(check('cat', [], { input: 'through a pipe' }), 'through a pipe');
      assert.deepEqual(check('cat', [], { input: 'é', encoding: 'buffer' }), Buffer.from('é'));
      assert.equal(check('echo $WHO', [], { shell: true, env: { WHO: 'me' } }), 'me\n');
      assert.equal(check('pwd', [], { cwd: '/' }), '/\n');
      assert.equal(check('cat'), '', 'without input there is an end at once');
      // The program ends without reading: no error.
      assert.equal(check('true', [], { input: 'x'.repeat(1_000_000) }), '');
    }),
  );

  test(
    'other greenlets run meanwhile',
    inRealTime(() => {
      // Each waits for all of the others: one after the other they would never end.
      const here = (i: number) => path.join(folder, `here-${i}`);
      const all = [0, 1, 2, 3];
      const met = all.map((i) => `[ -e ${here(i)} ]`).join(' && ');
      const running = all.map((i) =>
        spawn(() => run('sh', ['-c', `: > ${here(i)}; until ${met}; do sleep 0.05; done`])),
      );
      for (const one of running) assert.equal(one.get().status, 0);
    }),
  );

  test(
    'check throws what went wrong',
    inRealTime(() => {
      assert.throws(
        () => check('sh', ['-c', 'echo some; echo why >&2; exit 7']),
        (error: CalledProcessError) =>
          error instanceof CalledProcessError &&
          error.status === 7 &&
          error.stdout === 'some\n' &&
          error.stderr === 'why\n' &&
          /exited with 7: why/.test(error.message),
      );
      assert.throws(
        () => run('no-such-program-here'),
        (error: NodeJS.ErrnoException) =>
          error.code === 'ENOENT' && error.path === 'no-such-program-here',
      );
      assert.throws(() => run('/'), code('EACCES'));
      assert.throws(() => run(''), InvalidArgumentError);
      assert.throws(() => run('ls', 7 as never), InvalidArgumentError);
    }),
  );

  test(
    'much output is collected; too much ends the program',
    inRealTime(() => {
      const tenMegabytes = ['-c', 'head -c 10000000 /dev/zero'];
      assert.equal(run('sh', tenMegabytes, { encoding: 'buffer' }).stdout.length, 10_000_000);
      assert.throws(
        () => run('yes', [], { maxBuffer: 100_000, killTimeout: 100 }),
        code('ERR_CHILD_PROCESS_STDIO_MAXBUFFER'),
      );
    }),
  );

  test(
    'a timeout and a kill end the program and all that it started',
    inRealTime(() => {
      using clock = VirtualClock.install({ autoJump: false });
      // The shell waits for the sleeper, or has ended before it, and the pipes are still held open.
      for (const then of ['wait', 'exit'] as const) {
        for (const how of ['timeout', 'kill']) {
          const { script, sleeper } = starter(then);
          const limit = how === 'timeout' ? { timeout: 200 } : {};
          const running = spawn(() => run('sh', script, { killTimeout: 100, ...limit }));
          const pid = sleeper();
          if (how === 'kill') running.kill();
          else {
            clock.advance(200);
            assert.throws(() => running.get(), Timeout);
          }
          untilGone(pid);
        }
      }
    }),
  );

  test(
    'what does not listen to SIGTERM is killed',
    inRealTime(() => {
      const deaf =
        "process.on('SIGTERM', () => {}); console.log(process.pid); setInterval(() => {}, 1000)";
      const child = new Popen(node, ['-e', deaf], { killTimeout: 50 });
      const pid = Number(child.stdout?.readLine());
      child[Symbol.dispose]();
      untilGone(pid);
      assert.equal(child.wait(), null);
      assert.equal(child.signal, 'SIGKILL');
    }),
  );

  test(
    'a process that exits ends its programs, and what those have left behind',
    inRealTime(() => {
      for (const script of ['echo $$; exec sleep 60', 'sleep 60 & echo $!; exit']) {
        const program = `import { run, spawn, sleep } from '@tendril/core';
          import { Popen } from '@tendril/core/subprocess';
          run(() => {
            const child = new Popen('sh', ['-c', ${JSON.stringify(script)}]);
            console.log(child.stdout.readLine());
            if (${script.includes('exit')}) child.wait();
            process.exit(0);
          });`;
        const pid = Number(
          check(node, ['--input-type=module', '-e', program], { cwd: import.meta.dirname }),
        );
        assert.ok(pid > 0);
        untilGone(pid);
      }
    }),
  );

  test(
    'what a program that ended well has left running goes on',
    inRealTime(() => {
      const pid = Number(check('sh', ['-c', 'sleep 60 > /dev/null 2>&1 & echo $!']));
      assert.equal(isAlive(pid), true);
      process.kill(pid);
      untilGone(pid);
    }),
  );
});

describe('Popen', () => {
  test(
    'talks through its pipes',
    inRealTime(() => {
      using child = new Popen('cat');
      child.stdin?.sendAll('one\n');
      assert.equal(child.stdout?.readLine(), 'one');
      assert.equal(child.poll(), undefined);
      assert.throws(() => child.wait({ timeout: 5 }), Timeout);
      child.stdin?.end();
      assert.equal(child.stdout?.recv().length, 0);
      assert.equal(child.wait(), 0);
      assert.equal(child.kill(), false);
    }),
  );

  test(
    'communicate',
    inRealTime(() => {
      using child = new Popen('sh', ['-c', 'cat; echo err >&2; exit 2']);
      const { stdout, stderr, status } = child.communicate('x'.repeat(300_000));
      assert.deepEqual([stdout.length, stderr.toString(), status], [300_000, 'err\n', 2]);
      using stuck = new Popen('sleep', ['60'], { killTimeout: 100 });
      assert.throws(() => stuck.communicate('', { timeout: 20 }), Timeout);
    }),
  );

  test(
    'kill and disposal reach what is left of its group when it has ended itself',
    inRealTime(() => {
      for (const how of ['kill', 'dispose'] as const) {
        const { script, sleeper } = starter('exit');
        const child = new Popen('sh', script, { killTimeout: 100 });
        const pid = sleeper();
        assert.equal(child.wait(), 0);
        if (how === 'kill') assert.equal(child.kill(), true);
        else child[Symbol.dispose]();
        untilGone(pid);
        child[Symbol.dispose]();
      }
    }),
  );

  test(
    'kill reaches its group; a program that is not there throws',
    inRealTime(() => {
      using child = new Popen('sh', family, { killTimeout: 100 });
      const pid = Number(child.stdout?.readLine());
      assert.equal(child.kill(), true);
      assert.equal(child.wait(), null);
      untilGone(pid);
      assert.throws(() => new Popen('no-such-program-here'), code('ENOENT'));
    }),
  );
});
