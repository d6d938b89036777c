/** What each function of fs does with good and bad paths. */
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import { patchFs } from '@tendril/core/monkey';
import { leaveNothing } from '../helpers.js';
import { type Io, type Row, testTable } from './table.js';

leaveNothing();

type Call = (path: fs.PathLike, io: Io) => unknown;

/** Seconds, for the functions that set times. */
const time = 1_500_000_000;

/** Every function that takes a path first; what else they are given does not matter to what goes wrong. */
const calls: Record<string, Call> = {
  access: (path) => fs.accessSync(path),
  appendFile: (path) => fs.appendFileSync(path, 'more'),
  chmod: (path) => fs.chmodSync(path, 0o600),
  chown: (path) => fs.chownSync(path, process.getuid?.() ?? 0, process.getgid?.() ?? 0),
  'copyFile from': (path, io) => fs.copyFileSync(path, io.path('copied')),
  'copyFile to': (path, io) => fs.copyFileSync(io.path('bytes.bin'), path),
  exists: (path) => fs.existsSync(path),
  lchown: (path) => fs.lchownSync(path, process.getuid?.() ?? 0, process.getgid?.() ?? 0),
  'link from': (path, io) => fs.linkSync(path, io.path('linked')),
  'link to': (path, io) => fs.linkSync(io.path('bytes.bin'), path),
  lstat: (path) => fs.lstatSync(path),
  lutimes: (path) => fs.lutimesSync(path, time, time),
  mkdir: (path) => fs.mkdirSync(path),
  'mkdir recursive': (path) => fs.mkdirSync(path, { recursive: true }),
  open: (path) => fs.openSync(path, 'r'),
  opendir: (path) => fs.opendirSync(path as string).closeSync(),
  readFile: (path) => fs.readFileSync(path),
  'readFile utf8': (path) => fs.readFileSync(path, 'utf8'),
  readdir: (path) => fs.readdirSync(path).sort(),
  readlink: (path) => fs.readlinkSync(path),
  realpath: (path) => fs.realpathSync(path),
  'realpath.native': (path) => fs.realpathSync.native(path),
  'rename from': (path, io) => fs.renameSync(path, io.path('renamed')),
  'rename to': (path, io) => fs.renameSync(io.path('bytes.bin'), path),
  rm: (path) => fs.rmSync(path),
  'rm recursive': (path) => fs.rmSync(path, { recursive: true }),
  rmdir: (path) => fs.rmdirSync(path),
  stat: (path) => fs.statSync(path),
  'stat bigint': (path) => fs.statSync(path, { bigint: true }),
  'symlink at': (path) => fs.symlinkSync('file.txt', path),
  truncate: (path) => fs.truncateSync(path, 3),
  unlink: (path) => fs.unlinkSync(path),
  utimes: (path) => fs.utimesSync(path, time, time),
  writeFile: (path) => fs.writeFileSync(path, 'new'),
};

const paths: Record<string, (io: Io) => unknown> = {
  'a file': (io) => io.path('file.txt'),
  'a directory': (io) => io.path('dir'),
  'a file as a Buffer': (io) => Buffer.from(io.path('file.txt')),
  'a file as a URL': (io) => pathToFileURL(io.path('file.txt')),
  'a link': (io) => io.path('link'),
  'a link to nothing': (io) => io.path('dangling'),
  'a link to itself': (io) => io.path('loop'),
  nothing: (io) => io.path('none'),
  'nothing in nothing': (io) => io.path('none', 'more'),
  'something in a file': (io) => io.path('file.txt', 'more'),
  'a name that is too long': (io) => io.path('x'.repeat(300)),
  'an empty path': () => '',
  'a path with a zero byte': () => 'nul\0byte',
  'no path': () => undefined,
  'an object': () => ({ path: 'file.txt' }),
  'a URL of http': () => new URL('http://localhost/file.txt'),
};

/** No path at all is no file that is there: exists() answers that without a look. */
const unlooked = /zero byte|no path|an object|http/;

const rows: Row[] = [];
for (const [name, call] of Object.entries(calls))
  for (const [what, path] of Object.entries(paths))
    rows.push({
      title: `${name}: ${what}`,
      call: (io) => call(path(io) as fs.PathLike, io),
      ...(name === 'exists' && { parks: !unlooked.test(what) }),
      ...(name === 'open' && { view: (fd: number, io: Io) => typeof io.closing(fd) }),
    });

testTable(
  {
    file: import.meta.url,
    patch: () => patchFs({ park: 'all' }),
    atOnce: /^opendir|^readFile.*: a directory/,
  },
  rows,
);
