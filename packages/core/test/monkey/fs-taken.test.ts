/** Calls of fs that go on later than they were made: by what they are done, and how they are told of. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { joinall, run, sleep, spawn, wait, withTimeout } from '@tendril/core';
import { type FsOptions, patchFs, restore } from '@tendril/core/monkey';
import { inClaim } from '#src/monkey/fs/turns.js';
import { busyThreads, leaveNothing } from '../helpers.js';
import { started, temporaryFolder } from '../io-helpers.js';

leaveNothing();
const folder = temporaryFolder();
const home = process.cwd();
const mask = process.umask();
let count = 0;

afterEach(() => {
  restore();
  process.chdir(home);
  process.umask(mask);
});

/** In a new directory, which is the process's: files of 1000 bytes are large. */
function patched(options: FsOptions, body: () => void): () => Promise<void> {
  return async () => {
    const place = path.join(folder, `${++count}`);
    fs.mkdirSync(place);
    process.chdir(place);
    patchFs({ from: 1000, ...options });
    await run(body);
  };
}

const large = 'x'.repeat(5000);

/** What `call` comes to, which waits until `name` has been written; `meanwhile` runs while it stands in line. */
function inLine<R>(name: string, call: () => R, meanwhile: () => void): R {
  const all = [() => fs.writeFileSync(name, large), call, meanwhile].map((each) => spawn(each));
  joinall(all, { raiseError: true });
  return all[1]?.value as R;
}

describe('a call that waits for another one', () => {
  const writes: Record<string, (bytes: Buffer, fd: number) => void> = {
    writeFile: (bytes) => fs.writeFileSync('file', bytes),
    'writeFile through a descriptor': (bytes, fd) => fs.writeFileSync(fd, bytes),
    appendFile: (bytes) => fs.appendFileSync('file', bytes),
    write: (bytes, fd) => fs.writeSync(fd, bytes),
    writev: (bytes, fd) => fs.writevSync(fd, [bytes, bytes]),
  };
  for (const [name, write] of Object.entries(writes))
    test(
      `${name}: the bytes are those of the call`,
      patched({}, () => {
        const bytes = Buffer.from('mine');
        const fd = fs.openSync('file', 'a');
        inLine(
          'file',
          () => write(bytes, fd),
          () => bytes.fill('-'),
        );
        fs.closeSync(fd);
        const text = fs.readFileSync('file', 'utf8');
        assert.ok(text.includes('mine') && !text.includes('-'), text.slice(-20));
      }),
    );

  test(
    'the options and dates are those of the call',
    patched({}, () => {
      const options = { flag: 'a' };
      const date = new Date(1e12);
      inLine(
        'file',
        () => fs.writeFileSync('file', 'more', options),
        () => {
          options.flag = 'w';
        },
      );
      assert.equal(fs.readFileSync('file', 'utf8').length, large.length + 4);
      inLine(
        'file',
        () => fs.utimesSync('file', date, date),
        () => date.setTime(0),
      );
      assert.equal(fs.statSync('file').mtimeMs, 1e12);
    }),
  );

  test(
    'the mask of modes is that of the call, and everybody else has his own',
    patched({}, () => {
      const made = (call: () => void) => {
        process.umask(0o077);
        const removed = () => {
          fs.rmSync('old', { recursive: true });
          assert.equal(process.umask(), 0o022);
        };
        fs.mkdirSync('old');
        const all = [removed, call, () => process.umask(0o022)].map((each) => spawn(each));
        joinall(all, { raiseError: true });
        assert.equal(process.umask(), 0o022);
        return fs.statSync('old').mode & 0o777;
      };
      assert.equal(
        made(() => fs.mkdirSync('old')),
        0o700,
      );
      fs.rmdirSync('old');
      assert.equal(
        made(() => fs.writeFileSync('old', 'little')),
        0o600,
      );
      fs.rmSync('old');
      assert.equal(
        made(() => fs.writeFileSync('old', large)),
        0o600,
      );
    }),
  );

  test(
    'results name paths as they were given, though somebody has gone elsewhere',
    patched({}, () => {
      fs.mkdirSync('top/dir', { recursive: true });
      fs.mkdirSync('tree/in', { recursive: true });
      const copied = (): unknown => fs.cpSync('tree', 'top/dir/copy', { recursive: true });
      const removed = (): unknown => fs.rmSync('top/dir', { recursive: true });
      const after = (first: () => unknown, call: () => unknown) => {
        const before = process.cwd();
        const all = [first, call, () => process.chdir('/')].map((each) => spawn(each));
        joinall(all, { raiseError: true });
        process.chdir(before);
        return all[1]?.value;
      };
      const name = after(copied, () => fs.mkdtempSync('top/dir/copy/x-'));
      assert.match(String(name), /^top\/dir\/copy\/x-\w{6}$/);
      assert.ok(fs.existsSync(String(name)));
      assert.equal(
        after(removed, () => fs.mkdirSync('top/dir/in/it', { recursive: true })),
        'top/dir',
      );
      const entries = after(copied, () => fs.readdirSync('top/dir/copy', { withFileTypes: true }));
      const [entry] = entries as fs.Dirent[];
      assert.equal(entry?.parentPath ?? entry?.path, 'top/dir/copy');
    }),
  );

  for (const park of ['slow', 'all'] as const)
    test(
      `and one that does not wait while others do: entries and what is made, with ${park}`,
      patched({ park }, () => {
        fs.mkdirSync('dir/in/it', { recursive: true });
        const writing = started(() => fs.writeFileSync('file', 'x'.repeat(5e6)));
        const places = (options: object) =>
          (fs.readdirSync('dir', { withFileTypes: true, ...options }) as fs.Dirent[]).map(
            (entry) => entry.parentPath ?? entry.path,
          );
        assert.deepEqual(places({}), ['dir']);
        assert.deepEqual(places({ recursive: true }), ['dir', 'dir/in']);
        assert.equal(fs.mkdirSync('new/in/it', { recursive: true }), 'new');
        assert.equal(fs.mkdirSync('./new2/in', { recursive: true }), './new2');
        writing.get();
      }),
    );

  test(
    'in a process whose directory is gone: the errors are those of the call',
    patched({}, () => {
      const before = process.cwd();
      fs.mkdirSync('gone');
      process.chdir('gone');
      fs.rmdirSync(path.join(before, 'gone'));
      assert.throws(() => fs.readFileSync('x'), { syscall: 'open', code: 'ENOENT' });
      assert.throws(() => fs.writeFileSync('x', large), { syscall: 'open', code: 'ENOENT' });
      assert.throws(() => fs.copyFileSync('x', 'y'), { syscall: 'copyfile', code: 'ENOENT' });
      process.chdir(before);
    }),
  );
});

describe('a pipe that is given by a relative path', () => {
  const calls: Record<string, () => void> = {
    readFile: () => fs.readFileSync('pipe'),
    open: () => fs.closeSync(fs.openSync('pipe', 'r')),
  };
  for (const [name, call] of Object.entries(calls))
    test(
      `${name}: is that of the call`,
      patched({}, () => {
        execFileSync('mkfifo', ['pipe']);
        const pipe = path.resolve('pipe');
        const free = busyThreads();
        const calling = spawn(call);
        const moving = spawn(() => process.chdir('/'));
        moving.join();
        wait(free);
        // Both ends at once never block; who waits for one of them is let in.
        const fd = fs.openSync(pipe, 'r+');
        fs.closeSync(fd);
        calling.get();
      }),
    );

  test(
    'errors name it as it was given',
    patched({}, () => {
      execFileSync('mkfifo', ['pipe']);
      fs.chmodSync('pipe', 0o644);
      assert.throws(() => fs.readFileSync('pipe', { flag: 'wx' }), {
        code: 'EEXIST',
        path: 'pipe',
      });
      assert.throws(() => fs.openSync('pipe', 'wx'), { code: 'EEXIST', path: 'pipe' });
    }),
  );
});

describe('whose turn it is, of those who are told of otherwise', () => {
  test(
    'open, with all: who empties a file waits for who reads it',
    patched({ park: 'all' }, () => {
      fs.writeFileSync('file', large);
      const free = busyThreads();
      const reading = spawn(() => fs.readFileSync('file', 'utf8'));
      const emptying = spawn(() => fs.closeSync(fs.openSync('file', 'w')));
      joinall([reading, emptying], { raiseError: true });
      assert.equal(reading.value, large);
      assert.equal(fs.statSync('file').size, 0);
      wait(free);
    }),
  );

  test(
    'fstat of a pipe does not wait for who reads from it',
    patched({}, () => {
      execFileSync('mkfifo', ['pipe']);
      const opening = spawn(() => fs.openSync('pipe', 'r'));
      const to = fs.openSync('pipe', 'w');
      const from = opening.get();
      const reading = started(() => fs.readSync(from, Buffer.alloc(10)));
      assert.ok(withTimeout(60_000, () => fs.fstatSync(from)).isFIFO());
      assert.equal(reading.ready(), false);
      fs.writeSync(to, 'text');
      assert.equal(reading.get(), 4);
      for (const fd of [to, from]) fs.closeSync(fd);
    }),
  );

  test(
    'who reads on through a descriptor gets what comes after what was asked for before',
    patched({}, () => {
      fs.writeFileSync('file', large + 'y'.repeat(10));
      const fd = fs.openSync('file', 'r');
      const free = busyThreads();
      const read = (size: number, position: number | null) => () => {
        const memory = Buffer.alloc(size);
        fs.readSync(fd, memory, 0, size, position);
        return memory.toString('utf8', size - 10);
      };
      const all = [read(5000, null), read(10, null), read(10, 0)].map((each) => spawn(each));
      assert.equal(all[2]?.get(), 'x'.repeat(10));
      assert.equal(all[0]?.ready(), false, 'at a position they do not wait for each other');
      assert.deepEqual([all[0]?.get(), all[1]?.get()], ['x'.repeat(10), 'y'.repeat(10)]);
      wait(free);
      fs.closeSync(fd);
    }),
  );

  test(
    'a descriptor that is read whole: what it holds is of one moment',
    patched({}, () => {
      const [first, second] = ['x'.repeat(20_000), 'y'.repeat(30_000)];
      fs.writeFileSync('file', 'little');
      const fd = fs.openSync('file', 'r');
      const all = [
        () => fs.writeFileSync('file', first),
        () => fs.readFileSync(fd, 'utf8'),
        () => fs.writeFileSync('file', second),
      ].map((each) => spawn(each as () => unknown));
      joinall(all, { raiseError: true });
      assert.equal(all[1]?.value, first);
      fs.closeSync(fd);
    }),
  );

  test(
    'what a killed greenlet writes through a descriptor is waited for',
    patched({}, () => {
      fs.writeFileSync('file', 'before');
      const fd = fs.openSync('file', 'r+');
      const free = busyThreads();
      const elsewhere = spawn(() => fs.writeFileSync('other', large));
      const writing = started(() => fs.writeFileSync(fd, large));
      writing.kill();
      assert.equal(fs.readFileSync('file', 'utf8'), large);
      elsewhere.get();
      wait(free);
      fs.closeSync(fd);
    }),
  );

  test(
    'directories are made and opened in no tree that is being removed',
    patched({}, () => {
      fs.mkdirSync('tree/in', { recursive: true });
      const outcome = (call: () => unknown) => {
        try {
          return call();
        } catch (error) {
          return (error as NodeJS.ErrnoException).code;
        }
      };
      const removing = spawn(() => fs.rmSync('tree', { recursive: true }));
      const made = spawn(() => outcome(() => fs.mkdtempSync('tree/x-')));
      const opened = spawn(() => outcome(() => fs.opendirSync('tree/in')));
      joinall([removing, made, opened], { raiseError: true });
      assert.deepEqual([made.value, opened.value], ['ENOENT', 'ENOENT']);
      assert.ok(!fs.existsSync('tree'));
    }),
  );

  test(
    'a tree is the same by whatever links one comes to it',
    patched({}, () => {
      fs.mkdirSync('real/tree/in', { recursive: true });
      fs.symlinkSync('real', 'alias');
      fs.symlinkSync('real/tree/in', 'shortcut');
      const removing = spawn(() => fs.rmSync('real/tree', { recursive: true }));
      const seen = ['alias/tree/in', 'alias/../alias/tree/in', 'shortcut'].map((name) =>
        spawn(() => fs.existsSync(name)),
      );
      joinall([removing, ...seen], { raiseError: true });
      assert.deepEqual(
        seen.map((each) => each.value),
        [false, false, false],
      );
      const other = 'y'.repeat(9000);
      const writing = [
        spawn(() => fs.writeFileSync('real/new', large)),
        spawn(() => fs.writeFileSync('alias/new', other)),
      ];
      joinall(writing, { raiseError: true });
      assert.equal(fs.readFileSync('real/new', 'utf8'), other);
    }),
  );

  test('everything is below the root', () =>
    run(() => {
      const order: string[] = [];
      const at = (...paths: string[]) => ({ paths, realPaths: paths, files: [] });
      const reads = { writes: false, trees: true, ...at('/') };
      const writes = { writes: true, ...at('/some/file') };
      const all = [
        spawn(() =>
          inClaim(reads, (leave) => {
            sleep(0);
            sleep(0);
            order.push('root');
            leave();
          }),
        ),
        spawn(() =>
          inClaim(writes, (leave) => {
            order.push('file');
            leave();
          }),
        ),
      ];
      joinall(all, { raiseError: true });
      assert.deepEqual(order, ['root', 'file']);
    }));
});

describe('trees with names that are bytes', () => {
  const trees: [string, (name: string) => unknown][] = [
    ['a path of bytes', (name) => fs.readdirSync(Buffer.from(name), { recursive: true })],
    [
      'a path of bytes, with types',
      (name) => fs.readdirSync(Buffer.from(name), { recursive: true, withFileTypes: true }),
    ],
    [
      'entries of bytes',
      (name) => fs.readdirSync(name, { recursive: true, encoding: 'buffer' } as never),
    ],
  ];
  for (const [title, call] of trees)
    test(
      `${title}: what Node refuses is refused where it was asked for`,
      patched({}, () => {
        fs.mkdirSync('dir/in', { recursive: true });
        const outcome = () => {
          try {
            return call(path.resolve('dir'));
          } catch (error) {
            return String(error);
          }
        };
        const inGreenlet = outcome();
        restore();
        assert.deepEqual(inGreenlet, outcome());
      }),
    );
});

describe('glob', { skip: !('globSync' in fs) }, () => {
  type Glob = (pattern: string, options?: object) => unknown[];
  const glob: Glob = (...args) => (fs as never as { globSync: Glob }).globSync(...args);

  test(
    'looks where it was told to, though somebody has gone elsewhere',
    patched({}, () => {
      fs.mkdirSync('top/dir/in/it', { recursive: true });
      const before = process.cwd();
      for (const options of [{ cwd: 'top' }, undefined]) {
        const found = spawn(() => glob('**/it', options));
        const moved = spawn(() => process.chdir('/'));
        joinall([found, moved], { raiseError: true });
        process.chdir(before);
        assert.deepEqual(found.value, [options ? 'dir/in/it' : 'top/dir/in/it']);
      }
    }),
  );

  test(
    'its entries say where they are as Node has it, and its options are looked at',
    patched({}, () => {
      fs.mkdirSync('top/dir', { recursive: true });
      const calls: (() => unknown)[] = [
        ...[{}, { cwd: 'top' }, { cwd: path.resolve('top') }].flatMap((where) =>
          ['*', 'top/*', path.resolve('top/*')].map(
            (pattern) => () =>
              (glob(pattern, { ...where, withFileTypes: true }) as fs.Dirent[]).map(
                ({ name, parentPath }) => [name, parentPath],
              ),
          ),
        ),
        ...[null, 5, []].map((options) => () => glob('*', options as never)),
      ];
      const outcomes = () =>
        calls.map((call) => {
          try {
            return call();
          } catch (error) {
            return String(error);
          }
        });
      const inGreenlet = outcomes();
      restore();
      assert.deepEqual(inGreenlet, outcomes());
    }),
  );

  test(
    'sees no tree that is half removed',
    patched({}, () => {
      fs.mkdirSync('top/dir/in', { recursive: true });
      const calls = ['top/**', '**/in', path.resolve('top/*/*')].map((pattern) => () => {
        fs.mkdirSync('top/dir/in', { recursive: true });
        const removing = spawn(() => fs.rmSync('top/dir', { recursive: true }));
        const found = spawn(() => glob(pattern).length);
        joinall([removing, found], { raiseError: true });
        return found.value;
      });
      assert.deepEqual(
        calls.map((call) => call()),
        [1, 0, 0],
      );
    }),
  );
});

/** What it returns, or the code and the system call of its error. */
function outcomeOf(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    return `${code} ${syscall}`;
  }
}

describe('a descriptor that is closed while others wait with it, and whose number is given out again', () => {
  const read = (fd: number) => () => {
    const memory = Buffer.alloc(6);
    return memory.toString('latin1', 0, fs.readSync(fd, memory, 0, 6, null));
  };

  /** Both ends of a pipe, and somebody else's file. */
  function prepare(): number {
    execFileSync('mkfifo', ['pipe']);
    fs.writeFileSync('other', 'theirs');
    return fs.openSync('pipe', fs.constants.O_RDWR);
  }

  test(
    'who reads from a pipe gets what he asked for, who is in line behind him EBADF, and nobody what is others’',
    patched({}, () => {
      const fd = prepare();
      const kept = fs.openSync('pipe', fs.constants.O_RDWR);
      const [first, second] = [0, 1].map(() => started(() => outcomeOf(read(fd))));
      fs.closeSync(fd);
      assert.equal(second?.get(), 'EBADF read');
      const other = fs.openSync('other', 'r');
      assert.notEqual(other, fd, 'a thread reads from it');
      for (const [call, name] of [
        [() => fs.writeSync(fd, 'x'), 'write'],
        [() => fs.fstatSync(fd), 'fstat'],
        [() => fs.closeSync(fd), 'close'],
        [read(fd), 'read'],
      ] as const)
        assert.equal(outcomeOf(call), `EBADF ${name}`);
      fs.writeSync(kept, 'first!');
      assert.equal(first?.get(), 'first!');
      assert.equal(
        outcomeOf(() => fs.fstatSync(fd)),
        'EBADF fstat',
      );
      assert.equal(fs.openSync('other', 'r'), fd, 'nobody is at it any more');
      assert.equal(fs.readFileSync(other, 'utf8'), 'theirs');
      for (const each of [fd, kept, other]) fs.closeSync(each);
    }),
  );

  test(
    'a read that no thread has begun yet',
    patched({}, () => {
      const fd = prepare();
      fs.writeSync(fd, 'first!');
      const free = busyThreads();
      const reading = started(() => outcomeOf(read(fd)));
      fs.closeSync(fd);
      const other = fs.openSync('other', 'r');
      wait(free);
      assert.equal(reading.get(), 'first!');
      assert.equal(fs.readFileSync(other, 'utf8'), 'theirs');
      fs.closeSync(other);
    }),
  );

  test(
    'one that reads a pipe to its end, in pieces',
    patched({}, () => {
      const fd = prepare();
      fs.writeSync(fd, 'first!');
      const reading = started(() => outcomeOf(() => fs.readFileSync(fd, 'utf8')));
      const kept = fs.openSync('pipe', fs.constants.O_RDWR);
      fs.closeSync(fd);
      const other = fs.openSync('other', 'r');
      fs.writeSync(kept, 'second');
      assert.match(reading.get() as string, /^EBADF /);
      assert.equal(fs.readFileSync(other, 'utf8'), 'theirs');
      for (const each of [kept, other]) fs.closeSync(each);
    }),
  );

  for (const park of ['slow', 'all'] as const)
    test(
      `of a file: who comes after the close is not let in, with ${park}`,
      patched({ park }, () => {
        fs.writeFileSync('mine', 'mine');
        fs.writeFileSync('other', 'theirs');
        const fd = fs.openSync('mine', 'r+');
        const writing = started(() => fs.writeSync(fd, large, 0));
        const closing = started(() => {
          fs.closeSync(fd);
          return fs.openSync('other', 'r+');
        });
        const late = started(() => outcomeOf(() => fs.ftruncateSync(fd, 0)));
        const later = started(() => outcomeOf(() => fs.writeSync(fd, large, 0)));
        assert.equal(writing.get(), large.length);
        assert.equal(late.get(), 'EBADF ftruncate');
        assert.equal(later.get(), 'EBADF write');
        assert.equal(fs.readFileSync('other', 'utf8'), 'theirs');
        assert.equal(fs.readFileSync('mine', 'utf8'), large);
        fs.closeSync(closing.get() as number);
      }),
    );
});
