/** What patched functions of fs have taken when they park, who waits for whom, and what does not park at all. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import zlib from 'node:zlib';
import { joinall, run, sleep, spawn } from '@tendril/core';
import {
  type FsOptions,
  patchAll,
  patchCrypto,
  patchFs,
  patchZlib,
  restore,
} from '@tendril/core/monkey';
import { leaveNothing, parks, withoutCertificates } from '../helpers.js';
import { temporaryFolder } from '../io-helpers.js';

leaveNothing();
afterEach(() => restore());

const folder = temporaryFolder();
const at = (...names: string[]) => path.join(folder, ...names);
const mega = 2 ** 20;

function patched(options: FsOptions, body: () => void): () => Promise<void> {
  return async () => {
    patchFs(options);
    await run(body);
  };
}

describe('what parks', () => {
  const file = at('parks');
  const calls: Record<string, (data: Buffer) => void> = {
    writeFile: (data) => fs.writeFileSync(file, data),
    appendFile: (data) => fs.appendFileSync(file, data),
    readFile: () => void fs.readFileSync(file),
    'readFile utf8': () => void fs.readFileSync(file, 'utf8'),
    copyFile: () => fs.copyFileSync(file, `${file}.copy`),
    write: (data) => withFile('w', (fd) => fs.writeSync(fd, data)),
    writev: (data) => withFile('w', (fd) => fs.writevSync(fd, [data])),
    'write of text': (data) => withFile('w', (fd) => fs.writeSync(fd, data.toString('latin1'))),
    read: (data) => withFile('r', (fd) => fs.readSync(fd, data)),
    readv: (data) => withFile('r', (fd) => fs.readvSync(fd, [data])),
  };
  const withFile = (flags: string, use: (fd: number) => void) => {
    const fd = fs.openSync(file, flags);
    use(fd);
    fs.closeSync(fd);
  };
  for (const [park, little, much] of [
    ['slow', false, true],
    ['all', true, true],
    ['none', false, false],
  ] as const)
    for (const [name, call] of Object.entries(calls))
      test(
        `${name} with ${park}`,
        patched({ park, from: 1000 }, () => {
          for (const [size, expected] of [
            [10, little],
            [1000, much],
          ] as const) {
            fs.writeFileSync(file, 'x'.repeat(size));
            assert.equal(
              parks(() => call(Buffer.alloc(size, 'y'))),
              expected,
              `${size} bytes`,
            );
          }
        }),
      );

  test(
    'what waits for the other end of a pipe, as little as it is',
    patched({}, () => {
      const pipe = at('pipe');
      execFileSync('mkfifo', [pipe]);
      const reader = spawn(() => fs.readFileSync(pipe, 'utf8'));
      const writer = spawn(() => fs.writeFileSync(pipe, 'little'));
      assert.equal(reader.get(), 'little');
      writer.get();
      const opened = spawn(() => fs.openSync(pipe, 'r'));
      const fd = fs.openSync(pipe, 'w');
      const got = spawn(() => {
        const memory = Buffer.alloc(10);
        return memory.toString('utf8', 0, fs.readSync(opened.get(), memory));
      });
      sleep(0);
      assert.equal(
        parks(() => void fs.writeSync(fd, 'a line')),
        false,
        'loggers rely on it',
      );
      assert.equal(got.get(), 'a line');
      for (const each of [fd, opened.get()]) fs.closeSync(each);
    }),
  );

  test(
    'trees, and not what stores do to replace a file',
    patched({}, () => {
      fs.mkdirSync(at('tree/sub'), { recursive: true });
      fs.writeFileSync(at('tree/sub/file'), 'x');
      assert.equal(
        parks(() => void fs.readdirSync(at('tree'))),
        false,
      );
      assert.equal(
        parks(() => void fs.readdirSync(at('tree'), { recursive: true })),
        true,
      );
      const fd = fs.openSync(at('tree/sub/file'), 'r+');
      assert.equal(
        parks(() => fs.fsyncSync(fd)),
        false,
      );
      fs.closeSync(fd);
      assert.equal(
        parks(() => fs.rmSync(at('tree/sub/file'), { recursive: true })),
        false,
      );
      assert.equal(
        parks(() => fs.rmSync(at('tree'), { recursive: true })),
        true,
      );
    }),
  );

  test('options that are none are refused', () => {
    for (const fs of [{ park: 'some' }, { from: -1 }, { from: 'x' }, { parks: 'all' }])
      assert.throws(() => patchAll({ fs } as never), { code: 'ERR_INVALID_ARG' });
  });
});

describe('what a call has taken', () => {
  for (const park of ['slow', 'all'] as const)
    test(
      `its directory, with ${park}: paths, errors and entries are as they were given`,
      patched({ park }, () => {
        const home = process.cwd();
        for (const name of ['one', 'two']) {
          fs.mkdirSync(at(name, 'build', 'deep'), { recursive: true });
          fs.writeFileSync(at(name, 'file'), name.repeat(mega));
        }
        process.chdir(at('one'));
        const moved = spawn(() => process.chdir(at('two')));
        const copied = spawn(() => fs.cpSync('file', 'copy'));
        const read = spawn(() => fs.readFileSync('file', 'utf8').slice(0, 3));
        const written = spawn(() => fs.writeFileSync('new', Buffer.alloc(2 * mega)));
        const failed = spawn(() => fs.readdirSync('none', { recursive: true }));
        const entries = spawn(() =>
          (fs.readdirSync('build', { recursive: true, withFileTypes: true }) as fs.Dirent[]).map(
            (entry) => `${entry.parentPath ?? entry.path}/${entry.name}`,
          ),
        );
        const removed = spawn(() => fs.rmSync('build', { recursive: true }));
        try {
          const all = [removed, copied, read, written, entries];
          // They are called one after the other, before the directory changes, or after it.
          joinall([...all, moved, failed]);
          for (const each of all) each.get();
          assert.deepEqual(entries.get(), ['build/deep']);
          assert.match(String(failed.exception), /ENOENT: .*'none'/);
          assert.equal((failed.exception as NodeJS.ErrnoException).path, 'none');
        } finally {
          process.chdir(home);
        }
      }),
    );

  test(
    'its directory: a change while it is parked is nothing to it',
    patched({}, () => {
      const home = process.cwd();
      const first = at('first');
      const second = at('second');
      for (const place of [first, second]) {
        fs.mkdirSync(path.join(place, 'build', 'deep'), { recursive: true });
        fs.writeFileSync(path.join(place, 'large'), place.repeat(mega));
      }
      try {
        process.chdir(first);
        const calls = [
          spawn(() => fs.rmSync('build', { recursive: true })),
          spawn(() => fs.readFileSync('large', 'utf8').startsWith(first)),
          spawn(() => fs.cpSync('large', 'copy')),
          spawn(() => fs.writeFileSync('new', Buffer.alloc(2 * mega))),
          spawn(() => process.chdir(second)),
        ];
        joinall(calls, { raiseError: true });
        assert.equal(calls[1]?.value, true);
        const there = (place: string) => fs.readdirSync(place).sort();
        assert.deepEqual(there(first), ['copy', 'large', 'new']);
        assert.deepEqual(there(second), ['build', 'large']);
      } finally {
        process.chdir(home);
      }
    }),
  );

  test('its bytes, and memory of its own', async () => {
    patchFs({ from: 1000 });
    patchZlib();
    patchCrypto();
    await run(() => {
      const scratch = Buffer.alloc(100_000);
      const letters = [...'abcdefgh'];
      const each = (use: (letter: string) => string) =>
        letters.map((letter) => spawn(() => use(letter))).map((greenlet) => greenlet.get());
      const whole = (letter: string) => letter.repeat(scratch.length);
      const is = (letter: string, text: Buffer | string) =>
        String(text) === whole(letter) ? letter : '-';
      assert.deepEqual(
        each((letter) => {
          fs.writeFileSync(at(letter), scratch.fill(letter));
          return is(letter, fs.readFileSync(at(letter)));
        }),
        letters,
        'writeFile',
      );
      assert.deepEqual(
        each((letter) => {
          const fd = fs.openSync(at(letter), 'r+');
          fs.readSync(fd, scratch);
          const text = is(letter, scratch);
          fs.writeSync(fd, scratch.fill(letter.toUpperCase()), 0, scratch.length, 0);
          fs.closeSync(fd);
          return text + is(letter.toUpperCase(), fs.readFileSync(at(letter)));
        }),
        letters.map((letter) => letter + letter.toUpperCase()),
        'read and write',
      );
      assert.deepEqual(
        each((letter) => is(letter, zlib.gunzipSync(zlib.gzipSync(scratch.fill(letter))))),
        letters,
        'gzip',
      );
      const filled = spawn(() => crypto.randomFillSync(scratch));
      const other = spawn(() => scratch.every((byte) => byte === scratch[0]));
      assert.equal(other.get(), true, 'what is filled shows when its greenlet goes on');
      assert.equal(filled.get(), scratch);
      assert.ok(!scratch.every((byte) => byte === scratch[0]));
    });
  });
});

for (const park of ['slow', 'all'])
  test(`300 greenlets at files of a process that may have 64 descriptors, with ${park}`, () => {
    const script = fileURLToPath(new URL('../../test/scripts/few-files.mjs', import.meta.url));
    const place = at(`few-${park}`);
    fs.mkdirSync(place);
    const printed = execFileSync(process.execPath, [script, place, park], {
      env: withoutCertificates(),
      encoding: 'utf8',
    });
    assert.equal(printed, '300 \n');
  });

describe('whose turn it is', () => {
  test(
    'a file is whole for all who read it, small or large, by its names and descriptors',
    patched({ from: 1000 }, () => {
      const texts = [10, 5000, 200, 300_000].map((size, index) => `${index}`.repeat(size));
      const name = at('state');
      fs.writeFileSync(name, texts[0] as string);
      fs.linkSync(name, at('other-name'));
      const torn: number[] = [];
      const look = (text: string) => {
        if (!texts.includes(text)) torn.push(text.length);
      };
      for (let round = 0; round < 30; round++) {
        const all = [
          ...texts.map((text) => spawn(() => fs.writeFileSync(name, text))),
          spawn(() => look(fs.readFileSync(at('other-name'), 'utf8'))),
          spawn(() => {
            const fd = fs.openSync(name, 'r');
            const memory = Buffer.alloc(400_000);
            look(memory.toString('utf8', 0, fs.readSync(fd, memory, 0, memory.length, 0)));
            fs.closeSync(fd);
          }),
          spawn(() => look(String(fs.readFileSync(name)))),
        ];
        joinall(all, { raiseError: true });
        look(fs.readFileSync(name, 'utf8'));
      }
      assert.deepEqual(torn, []);
    }),
  );

  test(
    'in a tree that is removed nothing is made, and removed half is seen by nobody',
    patched({}, () => {
      const tree = at('forest');
      for (let n = 0; n < 30; n++) {
        fs.mkdirSync(path.join(tree, `${n}`), { recursive: true });
        fs.writeFileSync(path.join(tree, `${n}`, 'leaf'), 'x');
      }
      const listed = spawn(() => fs.readdirSync(tree, { recursive: true }).length);
      const copied = spawn(() => fs.cpSync(tree, at('copy-of-forest'), { recursive: true }));
      const removed = spawn(() => fs.rmSync(tree, { recursive: true }));
      const seen = spawn(() => fs.existsSync(path.join(tree, '7', 'leaf')));
      const made = spawn(() => fs.mkdirSync(path.join(tree, 'new'), { recursive: true }));
      joinall([listed, copied, removed, seen, made], { raiseError: true });
      assert.deepEqual([listed.value, seen.value], [60, false]);
      assert.equal(fs.readdirSync(at('copy-of-forest'), { recursive: true }).length, 60);
      assert.deepEqual(fs.readdirSync(tree), ['new']);
    }),
  );

  test(
    'who is killed in the line leaves it, and a call whose greenlet was killed is waited for',
    patched({ from: 1000 }, () => {
      const name = at('line');
      const large = 'x'.repeat(5 * mega);
      fs.writeFileSync(name, 'before');
      const first = spawn(() => fs.writeFileSync(name, large));
      const second = spawn(() => fs.writeFileSync(name, 'second'));
      const third = spawn(() => fs.readFileSync(name, 'utf8'));
      sleep(0);
      second.kill();
      first.kill();
      const seen = third.get();
      assert.ok(large.startsWith(seen), 'nobody else’s');
      assert.equal(fs.readFileSync(name, 'utf8'), seen, 'it does not change any more');
    }),
  );

  test(
    'those who only read do not wait for each other',
    patched({ from: 1000 }, () => {
      const name = at('shared');
      fs.writeFileSync(name, 'x'.repeat(20 * mega));
      const first = spawn(() => fs.readFileSync(name).length);
      sleep(0);
      const fd = fs.openSync(name, 'r');
      assert.equal(
        parks(() => void fs.readSync(fd, Buffer.alloc(10))),
        false,
      );
      fs.closeSync(fd);
      assert.equal(first.get(), 20 * mega);
    }),
  );
});
