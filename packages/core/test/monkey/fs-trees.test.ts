/** What the functions of fs that deal with directories and trees do with good and bad arguments. */
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import { patchFs } from '@tendril/core/monkey';
import { leaveNothing } from '../helpers.js';
import { type Row, testTable } from './table.js';

leaveNothing();

interface Disposable {
  path: string;
  remove(): void;
  [Symbol.dispose](): void;
}
const mkdtempDisposable = (prefix: unknown): Disposable =>
  (fs as never as { mkdtempDisposableSync(prefix: unknown): Disposable }).mkdtempDisposableSync(
    prefix,
  );

const made: Row[] = [
  { title: 'mkdir: a mode', call: (io) => fs.mkdirSync(io.path('new'), 0o700) },
  { title: 'mkdir: options', call: (io) => fs.mkdirSync(io.path('new'), { mode: '750' }) },
  {
    title: 'mkdir: recursive returns the first that was made',
    call: (io) => fs.mkdirSync(io.path('new/in/it'), { recursive: true }),
  },
  {
    title: 'mkdir: recursive, there already',
    call: (io) => fs.mkdirSync(io.path('dir/sub'), { recursive: true }),
  },
  {
    title: 'mkdir: recursive of text',
    call: (io) => fs.mkdirSync(io.path('n'), { recursive: 'x' as never }),
  },
  { title: 'mkdir: a bad mode', call: (io) => fs.mkdirSync(io.path('n'), { mode: 'zz' }) },
  {
    title: 'mkdtemp',
    call: (io) => fs.rmdirSync(fs.mkdtempSync(io.path('temporary-'))),
  },
  {
    title: 'mkdtemp: a Buffer',
    call(io) {
      const name = fs.mkdtempSync(io.path('temporary-'), 'buffer') as unknown as Buffer;
      fs.rmdirSync(name);
      return [Buffer.isBuffer(name), name.length - io.dir.length];
    },
  },
  { title: 'mkdtemp: in nothing', call: (io) => fs.mkdtempSync(io.path('none/x')) },
  { title: 'mkdtemp: no prefix', call: () => fs.mkdtempSync(undefined as never) },
  { title: 'mkdtemp: an encoding', call: (io) => fs.mkdtempSync(io.path('x'), 'no' as never) },
  {
    title: 'mkdtempDisposable',
    when: 'mkdtempDisposableSync' in fs,
    call(io) {
      const directory = mkdtempDisposable(io.path('temporary-'));
      const there = fs.existsSync(directory.path);
      fs.writeFileSync(`${directory.path}/file`, 'x');
      directory[Symbol.dispose]();
      directory.remove();
      return [there, fs.existsSync(directory.path), { ...directory, path: '' }];
    },
  },
  {
    title: 'mkdtempDisposable: in nothing',
    when: 'mkdtempDisposableSync' in fs,
    call: (io) => mkdtempDisposable(io.path('none/x')),
  },
  {
    title: 'mkdtempDisposable: no prefix',
    when: 'mkdtempDisposableSync' in fs,
    call: () => mkdtempDisposable(5),
  },
  { title: 'rmdir: a full one', call: (io) => fs.rmdirSync(io.path('dir')) },
  { title: 'rmdir: an empty one', call: (io) => fs.rmdirSync(io.path('void')) },
];

/** Entries in the order of their names: what is read first is the file system's business. */
const byName = (entries: readonly (string | Buffer | fs.Dirent)[]) =>
  [...entries].sort((a, b) => key(a).localeCompare(key(b)));
const key = (entry: string | Buffer | fs.Dirent) =>
  entry instanceof fs.Dirent ? `${entry.parentPath}/${entry.name}` : String(entry);

const read: Row[] = [
  { title: 'readdir: as it comes', call: (io) => fs.readdirSync(io.dir) },
  {
    title: 'readdir: types',
    call: (io) => fs.readdirSync(io.dir, { withFileTypes: true }),
    view: byName,
  },
  { title: 'readdir: Buffers', call: (io) => fs.readdirSync(io.dir, 'buffer'), view: byName },
  {
    title: 'readdir: Buffers and types',
    call: (io) => fs.readdirSync(io.dir, { encoding: 'buffer', withFileTypes: true } as never),
  },
  {
    title: 'readdir: hex',
    call: (io) => fs.readdirSync(io.dir, { encoding: 'hex' }),
    view: byName,
  },
  { title: 'readdir: a tree', call: (io) => fs.readdirSync(io.dir, { recursive: true }) },
  {
    title: 'readdir: a tree with types',
    call: (io) => fs.readdirSync(io.path('dir'), { recursive: true, withFileTypes: true }),
  },
  {
    title: 'readdir: a tree with links, with types',
    call: (io) => fs.readdirSync(io.dir, { recursive: true, withFileTypes: true }),
  },
  {
    title: 'readdir: a tree at a URL',
    call: (io) => fs.readdirSync(pathToFileURL(io.path('dir')), { recursive: true }),
  },
  { title: 'readdir: no tree', call: (io) => fs.readdirSync(io.path('none'), { recursive: true }) },
  {
    title: 'readdir: a file as a tree',
    call: (io) => fs.readdirSync(io.path('file.txt'), { recursive: true }),
  },
  {
    title: 'readdir: recursive of text',
    call: (io) => fs.readdirSync(io.dir, { recursive: 'x' as never }),
  },
  { title: 'readdir: an encoding', call: (io) => fs.readdirSync(io.dir, 'no' as never) },
  { title: 'readdir: an empty one', call: (io) => fs.readdirSync(io.path('void')) },
  {
    title: 'opendir: read to its end',
    call(io) {
      const directory = fs.opendirSync(io.path('dir'));
      const entries = [];
      for (;;) {
        const entry = directory.readSync();
        if (!entry) break;
        entries.push(entry);
      }
      const end = directory.readSync();
      directory.closeSync();
      return [directory.path, byName(entries), end];
    },
  },
  {
    title: 'opendir: a few at a time',
    call(io) {
      const directory = fs.opendirSync(io.dir, { bufferSize: 2 });
      const entries = [directory.readSync(), directory.readSync(), directory.readSync()];
      directory.closeSync();
      return entries;
    },
  },
  {
    title: 'opendir: a tree',
    call(io) {
      const directory = fs.opendirSync(io.path('dir'), { recursive: true });
      const names = [];
      for (let entry = directory.readSync(); entry; entry = directory.readSync())
        names.push(entry.name);
      directory.closeSync();
      return names;
    },
  },
  {
    title: 'opendir: read when it is closed',
    call(io) {
      const directory = fs.opendirSync(io.dir);
      directory.closeSync();
      directory.readSync();
    },
  },
  {
    title: 'opendir: closed twice',
    call(io) {
      const directory = fs.opendirSync(io.dir);
      directory.closeSync();
      directory.closeSync();
    },
  },
  {
    title: 'opendir: an encoding',
    call: (io) => fs.opendirSync(io.dir, { encoding: 'no' as never }),
    since: 24, // before that Node leaves the directory open, which we do not
  },
];

const removed: Row[] = [
  { title: 'rm: forced, nothing', call: (io) => fs.rmSync(io.path('none'), { force: true }) },
  { title: 'rm: forced, a directory', call: (io) => fs.rmSync(io.path('dir'), { force: true }) },
  {
    title: 'rm: a tree',
    call: (io) => fs.rmSync(io.path('dir'), { recursive: true, force: true }),
  },
  {
    title: 'rm: a link to a tree',
    call: (io) => fs.rmSync(io.path('dirlink'), { recursive: true }),
  },
  {
    title: 'rm: retries',
    call: (io) => fs.rmSync(io.path('dir'), { recursive: true, maxRetries: 2, retryDelay: 1 }),
  },
  {
    title: 'rm: retries of text',
    call: (io) => fs.rmSync(io.path('dir'), { maxRetries: 'x' as never }),
  },
  { title: 'rm: force of text', call: (io) => fs.rmSync(io.path('dir'), { force: 'x' as never }) },
  { title: 'rm: options of text', call: (io) => fs.rmSync(io.path('file.txt'), 'x' as never) },
  {
    title: 'rm: as forEach calls it',
    call: (io) => [io.path('file.txt')].forEach(fs.rmSync as never),
  },
];

testTable(
  { file: import.meta.url, patch: () => patchFs({ park: 'all' }), atOnce: /^opendir|^mkdtemp/ },
  [...made, ...read, ...removed],
);
