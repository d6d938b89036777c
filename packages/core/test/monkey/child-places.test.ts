/** How many children of greenlets run at once, and what those find that have to wait. */
import assert from 'node:assert/strict';
import childProcess from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import {
  GreenletExit,
  InvalidArgumentError,
  joinall,
  run,
  spawn,
  Timeout,
  wait,
  withTimeout,
} from '@tendril/core';
import { isPatched, type PatchOptions, patchAll, restore } from '@tendril/core/monkey';
import { leaveNothing } from '../helpers.js';
import { started, temporaryFolder } from '../io-helpers.js';

leaveNothing();
const folder = temporaryFolder();
const file = (name: string) => path.join(folder, name);

/** Nothing but child processes, so many of them. */
function patch(maxChildren: number): void {
  const others = ['crypto', 'fs', 'http', 'atomics', 'dns', 'timers', 'events', 'zlib'];
  patchAll({
    ...Object.fromEntries(others.map((part) => [part, false])),
    childProcess: { maxChildren },
  });
}
before(() => patch(1));
after(() => restore());

let pipes = 0;
/** A child that runs until it is let go. */
function holdPlace() {
  const fifo = file(`pipe-${++pipes}`);
  childProcess.execFileSync('mkfifo', [fifo]);
  const greenlet = started(() => childProcess.execSync(`cat ${fifo}`, { encoding: 'utf8' }));
  return { greenlet, letGo: () => writeFileSync(fifo, 'gone') };
}

/** No child is started for want of patience: on a busy machine, each may take longer than that. */
function withoutHurry(t: TestContext): void {
  t.mock.timers.enable({ apis: ['setTimeout'] });
}

const inGreenlet = (body: (t: TestContext) => void) => (t: TestContext) =>
  run(() => body(t)) as Promise<void>;

/** What a call returns or throws. */
function outcomeOf(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

const echo = (text: string) => () => childProcess.execSync(`echo ${text}`, { encoding: 'utf8' });

describe('a limit of children', () => {
  test(
    'is kept, and those who wait start in order',
    inGreenlet((t) => {
      withoutHurry(t);
      for (const [limit, crowd] of [
        [1, 8],
        [3, 12],
      ] as const) {
        patchAgain(limit);
        const log = file(`log-${limit}`);
        const lines = Array.from(
          { length: crowd },
          (_, i) => `echo +${i} >> ${log}; sleep 0.1; echo -${i} >> ${log}`,
        );
        joinall(
          lines.map((line) => spawn(() => childProcess.execSync(line))),
          { raiseError: true },
        );
        const events = readFileSync(log, 'utf8').trim().split('\n');
        assert.equal(events.length, 2 * crowd);
        let running = 0;
        for (const event of events) {
          running += event.startsWith('+') ? 1 : -1;
          assert.ok(running <= limit, `${running} of ${limit}: ${events}`);
        }
        const starts = events.filter((event) => event.startsWith('+'));
        if (limit === 1)
          assert.deepEqual(
            starts,
            lines.map((_, i) => `+${i}`),
          );
      }
      patchAgain(1);
    }),
  );

  test(
    'holds nobody for ever: a child may wait for one that stands in line',
    inGreenlet(() => {
      const fifo = file('between');
      childProcess.execFileSync('mkfifo', [fifo]);
      const reader = started(() => childProcess.execSync(`cat ${fifo}`, { encoding: 'utf8' }));
      const middle = spawn(() => childProcess.execSync(`cat ${fifo}.2`, { encoding: 'utf8' }));
      childProcess.execFileSync('mkfifo', [`${fifo}.2`]);
      const writer = spawn(() => childProcess.execSync(`echo a > ${fifo}.2; echo b > ${fifo}`));
      withTimeout(60_000, () => joinall([reader, middle, writer], { raiseError: true }));
      assert.deepEqual([reader.get(), middle.get()], ['b\n', 'a\n']);
    }),
  );

  test(
    'is left by who is killed or timed out in line',
    inGreenlet((t) => {
      withoutHurry(t);
      const { greenlet, letGo } = holdPlace();
      const killed = started(() => childProcess.execSync(`echo > ${file('killed')}`));
      const limit = new Timeout(60_000);
      const timedOut = started(() =>
        outcomeOf(() => childProcess.execSync(`echo > ${file('timed-out')}`)),
      );
      const last = started(echo('last'));
      killed.kill();
      timedOut.kill({ error: limit });
      letGo();
      assert.equal(greenlet.get(), 'gone');
      assert.equal(last.get(), 'last\n');
      assert.ok(killed.value instanceof GreenletExit);
      assert.equal(timedOut.get(), limit);
      assert.equal(existsSync(file('killed')) || existsSync(file('timed-out')), false);
    }),
  );

  test(
    'has room again when a child is killed, times out, is not found or says too much',
    inGreenlet((t) => {
      const timedOut = started(() => childProcess.spawnSync('sleep', ['600'], { timeout: 100 }));
      withoutHurry(t);
      const second = started(echo('second'));
      assert.equal((timedOut.get().error as NodeJS.ErrnoException).code, 'ETIMEDOUT');
      assert.equal(second.get(), 'second\n');
      const { greenlet } = holdPlace();
      const next = started(echo('next'));
      greenlet.kill();
      assert.equal(next.get(), 'next\n');
      const endings = {
        ENOBUFS: () => childProcess.spawnSync('yes', [], { maxBuffer: 1000 }).error,
        ENOENT: () => childProcess.spawnSync('no-such-program').error,
        ENOTDIR: () => childProcess.spawnSync(`${process.execPath}/x`).error,
        E2BIG: () => childProcess.spawnSync('echo', ['x'.repeat(5_000_000)]).error,
        ERR_INVALID_ARG_TYPE: () => childProcess.spawnSync('echo', ['x'], { cwd: 5 as never }),
      };
      const crowd = Object.values(endings).map((end) => spawn(() => outcomeOf(end)));
      const later = spawn(echo('later'));
      assert.deepEqual(
        crowd.map((one) => (one.get() as NodeJS.ErrnoException).code),
        Object.keys(endings),
      );
      assert.equal(later.get(), 'later\n');
    }),
  );

  test(
    'is nothing to calls that block: in callbacks, and in listeners of a child',
    inGreenlet((t) => {
      withoutHurry(t);
      const { greenlet, letGo } = holdPlace();
      const inLine = started(echo('in line'));
      const blocked = new Promise<string>((resolve) =>
        setImmediate(() => resolve(echo('blocked')())),
      );
      assert.equal(wait(blocked), 'blocked\n');
      const heard = new Promise<string>((resolve) => {
        const child = childProcess.spawn('echo', ['said']);
        child.stdout.once('data', () => resolve(echo('heard')()));
      });
      assert.equal(wait(heard), 'heard\n');
      assert.equal(inLine.dead, false);
      letGo();
      assert.deepEqual([greenlet.get(), inLine.get()], ['gone', 'in line\n']);
    }),
  );

  test('is a whole number from 1, or Infinity', () => {
    const wrong = [0, -1, 1.5, Number.NaN, '4', null, true, [], {}];
    const options: unknown[] = [null, 5, 'all', [], { max: 4 }];
    for (const childProcess of [...options, ...wrong.map((maxChildren) => ({ maxChildren }))]) {
      restore();
      assert.throws(() => patchAll({ childProcess } as never), InvalidArgumentError);
      assert.equal(isPatched('fs'), false, 'nothing is patched');
    }
    for (const part of ['fs', 'dns'])
      assert.throws(() => patchAll({ [part]: 'yes' } as never), InvalidArgumentError);
    for (const childProcess of [false, true, {}, { maxChildren: Number.POSITIVE_INFINITY }]) {
      restore();
      patchAll({ childProcess, fs: false } satisfies PatchOptions);
      assert.equal(isPatched('child_process'), childProcess !== false);
    }
    restore();
    patch(1);
  });
});

function patchAgain(limit: number): void {
  restore();
  patch(limit);
}

describe('a child that has to wait', () => {
  /** What a call comes to whose greenlet stands in line while `meanwhile` runs. */
  function inLine<R>(t: TestContext, call: () => R, meanwhile: () => void): R {
    withoutHurry(t);
    const { greenlet, letGo } = holdPlace();
    const waiting = started(call);
    meanwhile();
    letGo();
    greenlet.get();
    return waiting.get() as R;
  }
  const utf8 = { encoding: 'utf8' } as const;

  test(
    'has the directory of its call, though it was relative and somebody has gone elsewhere',
    inGreenlet((t) => {
      const before = process.cwd();
      mkdirSync(file('dir'));
      process.chdir(folder);
      const found = inLine(
        t,
        () => childProcess.execSync('pwd', { ...utf8, cwd: 'dir' }),
        () => process.chdir(before),
      );
      assert.equal(found, `${file('dir')}\n`);
    }),
  );

  test(
    'has the environment of its call, with what that inherits',
    inGreenlet((t) => {
      const env: NodeJS.ProcessEnv = Object.create({ PATH: process.env.PATH, HERITAGE: 'old' });
      env.OWN = 'old';
      const found = inLine(
        t,
        () => childProcess.execSync('echo $OWN $HERITAGE', { ...utf8, env }),
        () => Object.assign(env, { OWN: 'new', HERITAGE: 'new' }),
      );
      assert.equal(found, 'old old\n');
    }),
  );

  test(
    'has the mask of modes of its call, and nobody else has it',
    inGreenlet((t) => {
      const made = file('masked');
      const before = process.umask(0o077);
      inLine(
        t,
        () => childProcess.execSync(`echo > ${made}`),
        () => process.umask(0o022),
      );
      assert.equal(process.umask(before), 0o022);
      assert.equal(statSync(made).mode & 0o777, 0o600);
    }),
  );

  test(
    'gets the input, arguments and options of its call, each read once',
    inGreenlet((t) => {
      const input = Buffer.from('as it was');
      const args = ['-c', 'cat; echo " $0"', 'then'];
      let reads = 0;
      const options = {
        input,
        get encoding(): 'utf8' {
          reads++;
          return 'utf8';
        },
      };
      const found = inLine(
        t,
        () => childProcess.spawnSync('sh', args, options).stdout,
        () => {
          input.fill('x');
          args[2] = 'now';
        },
      );
      assert.equal(found, 'as it was then\n');
      assert.equal(reads, 1);
    }),
  );

  test(
    'gets all of an input that others change while it is written',
    inGreenlet((t) => {
      withoutHurry(t);
      const input = Buffer.alloc(1_000_000, 'a');
      const fifo = file('slow');
      childProcess.execFileSync('mkfifo', [fifo]);
      const counting = started(() =>
        childProcess.execSync(`cat ${fifo} > /dev/null; tr -d a | wc -c`, { ...utf8, input }),
      );
      input.fill('b');
      writeFileSync(fifo, '');
      assert.equal(counting.get().trim(), '0');
    }),
  );
});
