/** What copying trees and finding files by patterns do with good and bad arguments. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import { patchFs } from '@tendril/core/monkey';
import { leaveNothing } from '../helpers.js';
import { type Row, testTable } from './table.js';

leaveNothing();
type Glob = (pattern: unknown, options?: object) => unknown;
const glob: Glob = (...args) => (fs as never as { globSync: Glob }).globSync(...args);

const recursive = { recursive: true };
const cp = (title: string, from: string, to: string, options?: fs.CopySyncOptions): Row => ({
  title: `cp: ${title}`,
  call: (io) => fs.cpSync(io.path(from), io.path(to), options),
  // With anything but the plainest options the original runs, which may read directories.
  ...(options && Object.keys(options).join() !== 'recursive' && { parks: 'either' }),
});

const copied: Row[] = [
  cp('a file', 'file.txt', 'new'),
  cp('a file into new directories', 'file.txt', 'new/in/it'),
  cp('a file over one', 'file.txt', 'bytes.bin'),
  cp('not over a file', 'file.txt', 'bytes.bin', { force: false }),
  cp('an error if it is there', 'file.txt', 'bytes.bin', { force: false, errorOnExist: true }),
  cp('a file onto itself', 'file.txt', 'file.txt'),
  cp('a file over a directory', 'file.txt', 'dir'),
  cp('a directory over a file', 'dir', 'file.txt', recursive),
  cp('a directory without recursive', 'dir', 'new'),
  cp('nothing', 'none', 'new'),
  cp('in a file', 'file.txt/x', 'new'),
  cp('into a file', 'file.txt', 'bytes.bin/x'),
  cp('a link', 'link', 'new'),
  cp('a link, verbatim', 'link', 'new', { verbatimSymlinks: true }),
  cp('what a link means', 'link', 'new', { dereference: true }),
  cp('a tree', 'dir', 'new', recursive),
  cp('a tree over an empty one', 'dir', 'void', recursive),
  cp('a tree over itself', 'dir', 'dir', recursive),
  cp('a tree into itself', 'dir', 'dir/sub/new', recursive),
  cp('a tree with times', 'dir', 'new', { recursive: true, preserveTimestamps: true }),
  cp('a tree, an error if it is there', 'dir', 'void', {
    recursive: true,
    force: false,
    errorOnExist: true,
  }),
  cp('a filter', 'dir', 'new', { recursive: true, filter: (name) => !name.endsWith('b.txt') }),
  cp('a filter that takes nothing', 'dir', 'new', { recursive: true, filter: () => false }),
  cp('a filter that promises', 'dir', 'new', { filter: (async () => true) as never }),
  cp('a filter of text', 'dir', 'new', { filter: 'x' as never }),
  cp('force of text', 'file.txt', 'new', { force: 'x' as never }),
  cp('a bad mode', 'file.txt', 'new', { mode: 99 }),
  cp('a mode', 'file.txt', 'link', { mode: fs.constants.COPYFILE_EXCL }),
  {
    title: 'cp: a tree with a link and modes',
    call(io) {
      fs.symlinkSync('a.txt', io.path('dir/link'));
      fs.chmodSync(io.path('dir/sub'), 0o700);
      fs.chmodSync(io.path('dir/a.txt'), 0o600);
      fs.cpSync(io.path('dir'), io.path('new'), recursive);
    },
  },
  {
    title: 'cp: a tree with links and modes of files',
    call(io) {
      fs.symlinkSync('a.txt', io.path('dir/link'));
      fs.symlinkSync('sub', io.path('dir/sublink'));
      fs.symlinkSync('none', io.path('dir/dangling'));
      fs.chmodSync(io.path('dir/a.txt'), 0o600);
      fs.cpSync(io.path('dir'), io.path('new'), recursive);
    },
  },
  {
    title: 'cp: a tree with a mode',
    call(io) {
      fs.chmodSync(io.path('dir'), 0o700);
      fs.cpSync(io.path('dir'), io.path('new'), recursive);
    },
  },
  {
    title: 'cp: a tree with a pipe in it',
    call(io) {
      execFileSync('mkfifo', [io.path('dir/pipe')]);
      fs.cpSync(io.path('dir'), io.path('new'), recursive);
    },
  },
  {
    title: 'cp: URLs',
    call: (io) => fs.cpSync(pathToFileURL(io.path('file.txt')), io.path('new')),
  },
  { title: 'cp: no path', call: (io) => fs.cpSync(5 as never, io.path('new')), parks: false },
  {
    title: 'cp: options of text',
    call: (io) => fs.cpSync(io.path('file.txt'), io.path('new'), 'x' as never),
  },
];

const globs: Row[] = [
  { title: 'glob: names', call: (io) => glob('*', { cwd: io.dir }) },
  { title: 'glob: in trees', call: (io) => glob('**/*.txt', { cwd: io.dir }) },
  { title: 'glob: all', call: (io) => glob('**', { cwd: io.dir }) },
  { title: 'glob: alternatives', call: (io) => glob('{dir,void}/**', { cwd: io.dir }) },
  { title: 'glob: several', call: (io) => glob(['*.bin', 'dir/*'], { cwd: io.dir }) },
  { title: 'glob: absolute', call: (io) => glob(io.path('dir/*')) },
  { title: 'glob: none', call: (io) => glob('*.none', { cwd: io.dir }) },
  { title: 'glob: types', call: (io) => glob('*.txt', { cwd: io.dir, withFileTypes: true }) },
  {
    title: 'glob: exclude',
    call: (io) => glob('**', { cwd: io.dir, exclude: (name: unknown) => name === 'sub' }),
  },
  {
    title: 'glob: exclude in trees',
    call: (io) => glob('**/*', { cwd: io.dir, exclude: (name: unknown) => name === 'dir' }),
  },
  { title: 'glob: a pattern of 5', call: () => glob(5) },
  { title: 'glob: exclude of 5', call: (io) => glob('*', { cwd: io.dir, exclude: 5 }) },
];
const globbed = globs.map((row) => ({ ...row, when: 'globSync' in fs }));

testTable(
  {
    file: import.meta.url,
    patch: () => patchFs({ park: 'all' }),
    atOnce: /cp: a (link|tree over an empty one)$/,
  },
  [...copied, ...globbed],
);
