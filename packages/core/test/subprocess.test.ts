import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InvalidArgumentError, sleep, spawn, Timeout } from '@tendril/core';
import { CalledProcessError, check, Popen, run } from '@tendril/core/subprocess';
import { leaveNothing } from './helpers.js';
import { inRealTime } from './io-helpers.js';

leaveNothing();

const node = process.execPath;
const code = (expected: string) => (error: unknown) =>
  (error as { code: string }).code === expected;

/** A shell that starts a sleeper of its own and prints the sleeper's pid. */
const family = ['-c', 'sleep 60 & echo $!; wait'];

/** Parks until no process has this pid. A zombie that init has yet to reap counts as gone. */
function untilGone(pid: number): void {
  using _limit = Timeout.startNew(5000);
  for (;;) {
    const state = run('ps', ['-o', 'stat=', '-p', String(pid)]).stdout.trim();
    if (state === '' || state.startsWith('Z')) return;
    sleep(10);
  }
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
      const began = performance.now();
      const all = [1, 2, 3, 4].map(() => spawn(() => run('sleep', ['0.3'])));
      for (const one of all) assert.equal(one.get().status, 0);
      assert.ok(performance.now() - began < 1000);
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
      const pidFile = `${process.env.TMPDIR ?? '/tmp'}/tendril-family-${process.pid}`;
      const script = ['-c', `sleep 60 & echo $! > ${pidFile}; wait`];
      const sleeper = () => {
        for (;;) {
          const text = run('cat', [pidFile]).stdout;
          if (text.endsWith('\n')) return Number(text);
          sleep(5);
        }
      };
      assert.throws(() => run('sh', script, { timeout: 200, killTimeout: 100 }), Timeout);
      untilGone(sleeper());
      run('rm', [pidFile]);
      const running = spawn(() => run('sh', script, { killTimeout: 100 }));
      const pid = sleeper();
      running.kill();
      untilGone(pid);
      run('rm', [pidFile]);
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
    'a process that exits ends its programs',
    inRealTime(() => {
      const program = `import { run, spawn, sleep } from '@tendril/core';
        import { Popen } from '@tendril/core/subprocess';
        run(() => { const child = new Popen('sleep', ['60']); console.log(child.pid); sleep(20); process.exit(0); });`;
      const pid = Number(
        check(node, ['--input-type=module', '-e', program], { cwd: import.meta.dirname }),
      );
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
    'kill reaches its group; a program that is not there throws',
    inRealTime(() => {
      using child = new Popen('sh', family);
      const pid = Number(child.stdout?.readLine());
      assert.equal(child.kill(), true);
      assert.equal(child.wait(), null);
      untilGone(pid);
      assert.throws(() => new Popen('no-such-program-here'), code('ENOENT'));
    }),
  );
});
