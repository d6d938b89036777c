/** What the functions of fs that deal with whole files, and with what is known of them, do with any arguments. */
import fs from 'node:fs';
import { patchFs } from '@tendril/core/monkey';
import { leaveNothing } from '../helpers.js';
import { type Row, testTable } from './table.js';

leaveNothing();

type Loose = (...args: unknown[]) => unknown;

const none = { throwIfNoEntry: false };
const bytes = () => Buffer.alloc(8, '.');

const whole: Row[] = [
  { title: 'readFile: latin1', call: (io) => fs.readFileSync(io.path('bytes.bin'), 'latin1') },
  { title: 'readFile: hex', call: (io) => fs.readFileSync(io.path('bytes.bin'), 'hex') },
  {
    title: 'readFile: utf8 of any bytes',
    call: (io) => fs.readFileSync(io.path('bytes.bin'), 'utf8'),
  },
  { title: 'readFile: empty', call: (io) => fs.readFileSync(io.path('empty.txt')) },
  { title: 'readFile: empty, utf8', call: (io) => fs.readFileSync(io.path('empty.txt'), 'utf8') },
  { title: 'readFile: null', call: (io) => fs.readFileSync(io.path('file.txt'), null) },
  {
    title: 'readFile: options',
    call: (io) => fs.readFileSync(io.path('file.txt'), { encoding: 'base64', flag: 'r+' }),
  },
  {
    title: 'readFile: made by its flag',
    call: (io) => fs.readFileSync(io.path('none'), { flag: 'a+' }),
  },
  { title: 'readFile: a descriptor', call: (io) => fs.readFileSync(io.open('file.txt')) },
  {
    title: 'readFile: a descriptor, utf8',
    call: (io) => fs.readFileSync(io.open('file.txt'), 'utf8'),
  },
  {
    title: 'readFile: what is left of a descriptor',
    call(io) {
      const fd = io.open('file.txt');
      fs.readSync(fd, bytes());
      return fs.readFileSync(fd, 'latin1');
    },
  },
  { title: 'readFile: a closed descriptor', call: () => fs.readFileSync(9999), parks: false },
  {
    title: 'readFile: a closed descriptor, utf8',
    call: () => fs.readFileSync(9999, 'utf8'),
    parks: false,
  },
  { title: 'readFile: of proc', call: () => fs.readFileSync('/proc/sys/kernel/ostype', 'utf8') },
  { title: 'readFile: of null', call: () => fs.readFileSync('/dev/null') },
  {
    title: 'readFile: an encoding',
    call: (io) => fs.readFileSync(io.path('file.txt'), 'no' as never),
  },
  { title: 'readFile: a flag', call: (io) => fs.readFileSync(io.path('file.txt'), { flag: 'no' }) },
  {
    title: 'readFile: options of 5',
    call: (io) => fs.readFileSync(io.path('file.txt'), 5 as never),
  },
  {
    title: 'readFile: a signal is not known',
    call: (io) => fs.readFileSync(io.path('file.txt'), { signal: AbortSignal.abort() } as never),
  },
  {
    title: 'readFile: as map calls it',
    call: (io) => [io.path('file.txt')].map(fs.readFileSync as never),
  },
  {
    title: 'readFile: a large file',
    call(io) {
      fs.writeFileSync(io.path('large'), Buffer.alloc(3_000_000, 'large'));
      return fs.readFileSync(io.path('large')).length;
    },
  },
  { title: 'writeFile: bytes', call: (io) => fs.writeFileSync(io.path('new'), bytes()) },
  { title: 'writeFile: hex', call: (io) => fs.writeFileSync(io.path('new'), 'c3a4', 'hex') },
  {
    title: 'writeFile: a mode',
    call: (io) => fs.writeFileSync(io.path('new'), 'x', { mode: 0o600, flag: 'wx' }),
  },
  {
    title: 'writeFile: flag wx of a file that is there',
    call: (io) => fs.writeFileSync(io.path('file.txt'), 'x', { flag: 'wx' }),
  },
  {
    title: 'writeFile: bytes, flag wx of a file that is there',
    call: (io) => fs.writeFileSync(io.path('file.txt'), bytes(), { flag: 'wx' }),
  },
  {
    title: 'writeFile: flush',
    call: (io) => fs.writeFileSync(io.path('new'), 'x', { flush: true } as never),
  },
  {
    title: 'writeFile: flush of 5',
    call: (io) => fs.writeFileSync(io.path('new'), 'x', { flush: 5 } as never),
  },
  {
    title: 'writeFile: a descriptor',
    call: (io) => fs.writeFileSync(io.open('file.txt', 'r+'), 'new'),
  },
  { title: 'writeFile: a reader', call: (io) => fs.writeFileSync(io.open('file.txt'), 'new') },
  {
    title: 'writeFile: a reader, bytes',
    call: (io) => fs.writeFileSync(io.open('file.txt'), bytes()),
  },
  {
    title: 'writeFile: typed',
    call: (io) => fs.writeFileSync(io.path('new'), new Uint32Array([1])),
  },
  { title: 'writeFile: an object', call: (io) => fs.writeFileSync(io.path('new'), {} as never) },
  {
    title: 'writeFile: nothing',
    call: (io) => fs.writeFileSync(io.path('new'), undefined as never),
  },
  { title: 'writeFile: no room', call: () => fs.writeFileSync('/dev/full', 'x') },
  { title: 'writeFile: no room for bytes', call: () => fs.writeFileSync('/dev/full', bytes()) },
  { title: 'appendFile: text', call: (io) => fs.appendFileSync(io.path('file.txt'), 'ö') },
  { title: 'appendFile: bytes', call: (io) => fs.appendFileSync(io.path('file.txt'), bytes()) },
  {
    title: 'appendFile: latin1',
    call: (io) => fs.appendFileSync(io.path('file.txt'), 'ö', 'latin1'),
  },
  {
    title: 'appendFile: a mode',
    call: (io) => fs.appendFileSync(io.path('new'), 'x', { mode: 0o640 }),
  },
  {
    title: 'appendFile: a descriptor',
    call: (io) => fs.appendFileSync(io.open('file.txt', 'a'), 'x'),
  },
  { title: 'appendFile: an object', call: (io) => fs.appendFileSync(io.path('new'), {} as never) },
];

const others: Row[] = [
  { title: 'stat: nothing, and none asked for', call: (io) => fs.statSync(io.path('none'), none) },
  {
    title: 'stat: in a file, none asked for',
    call: (io) => fs.statSync(io.path('file.txt/x'), none),
  },
  { title: 'stat: a loop, none asked for', call: (io) => fs.statSync(io.path('loop'), none) },
  { title: 'lstat: nothing, none asked for', call: (io) => fs.lstatSync(io.path('none'), none) },
  {
    title: 'lstat: in a file, none asked for',
    call: (io) => fs.lstatSync(io.path('file.txt/x'), none),
  },
  { title: 'lstat: bigint', call: (io) => fs.lstatSync(io.path('link'), { bigint: true }) },
  {
    title: 'stat: null',
    call: (io) => fs.statSync(io.path('file.txt'), null as never),
    parks: false,
  },
  { title: 'stat: as map calls it', call: (io) => [io.path('dir')].map(fs.statSync as never) },
  {
    title: 'stat: a callback that nobody calls',
    call: (io) => (fs.statSync as Loose)(io.path('dir'), () => assertNever()),
    parks: false,
  },
  { title: 'fstat', call: (io) => fs.fstatSync(io.open('file.txt')) },
  { title: 'fstat: bigint', call: (io) => fs.fstatSync(io.open('file.txt'), { bigint: true }) },
  {
    title: 'fstat: null',
    call: (io) => fs.fstatSync(io.open('file.txt'), null as never),
    parks: false,
  },
  { title: 'fstat: closed', call: () => fs.fstatSync(9999) },
  { title: 'fstat: bad', call: () => fs.fstatSync('1' as never) },
  {
    title: 'statfs',
    call: (io) => fs.statfsSync(io.dir),
    view: (stats: fs.StatsFs) => [Object.keys(stats), stats.type, stats.bsize, stats.blocks],
  },
  {
    title: 'statfs: bigint',
    call: (io) => fs.statfsSync(io.dir, { bigint: true }),
    view: (stats: fs.BigIntStatsFs) => [Object.keys(stats), stats.type],
  },
  { title: 'statfs: nothing', call: (io) => fs.statfsSync(io.path('none')) },
  { title: 'access: to read and write', call: (io) => fs.accessSync(io.path('file.txt'), 6) },
  { title: 'access: to run', call: (io) => fs.accessSync(io.path('file.txt'), fs.constants.X_OK) },
  { title: 'access: mode 99', call: (io) => fs.accessSync(io.path('file.txt'), 99) },
  { title: 'exists: as filter calls it', call: (io) => [io.dir, '/none'].filter(fs.existsSync) },
  {
    title: 'open: makes a file with a mode',
    call: (io) => io.closing(fs.openSync(io.path('new'), 'w', 0o600)),
    view: () => 'open',
  },
  {
    title: 'open: mode as text',
    call: (io) => io.closing(fs.openSync(io.path('new'), 'wx+', '640')),
    view: () => 'open',
  },
  {
    title: 'open: flags as numbers',
    call: (io) => io.closing(fs.openSync(io.path('link'), 0o400000)),
  },
  {
    title: 'open: default flags',
    call: (io) => io.closing(fs.openSync(io.path('file.txt'), undefined as never)),
    view: () => 'open',
  },
  { title: 'open: bad flags', call: (io) => fs.openSync(io.path('file.txt'), 'zz') },
  { title: 'open: a bad mode', call: (io) => fs.openSync(io.path('new'), 'w', 'zz') },
  { title: 'open: wx of what is there', call: (io) => fs.openSync(io.path('file.txt'), 'wx') },
  { title: 'close', call: (io) => fs.closeSync(io.open('file.txt')) },
  {
    title: 'close: twice',
    call(io) {
      const fd = io.open('file.txt');
      fs.closeSync(fd);
      fs.closeSync(fd);
    },
  },
  { title: 'close: bad', call: () => fs.closeSync('x' as never) },
  { title: 'truncate: longer', call: (io) => fs.truncateSync(io.path('file.txt'), 20) },
  { title: 'truncate: to nothing', call: (io) => fs.truncateSync(io.path('file.txt')) },
  { title: 'truncate: null', call: (io) => fs.truncateSync(io.path('file.txt'), null as never) },
  { title: 'truncate: text', call: (io) => fs.truncateSync(io.path('file.txt'), 'x' as never) },
  { title: 'truncate: negative', call: (io) => fs.truncateSync(io.path('file.txt'), -3) },
  { title: 'ftruncate', call: (io) => fs.ftruncateSync(io.open('file.txt', 'r+'), 4) },
  { title: 'ftruncate: to nothing', call: (io) => fs.ftruncateSync(io.open('file.txt', 'r+')) },
  { title: 'ftruncate: a reader', call: (io) => fs.ftruncateSync(io.open('file.txt'), 4) },
  { title: 'ftruncate: 1.5', call: (io) => fs.ftruncateSync(io.open('file.txt', 'r+'), 1.5) },
  { title: 'copyFile', call: (io) => fs.copyFileSync(io.path('file.txt'), io.path('new')) },
  {
    title: 'copyFile: exclusive',
    call: (io) => fs.copyFileSync(io.path('file.txt'), io.path('link'), 1),
  },
  { title: 'copyFile: a mode', call: (io) => fs.copyFileSync(io.path('link'), io.path('new'), 99) },
  { title: 'rename', call: (io) => fs.renameSync(io.path('dir'), io.path('new')) },
  {
    title: 'rename: over a full one',
    call: (io) => fs.renameSync(io.path('void'), io.path('dir')),
  },
  { title: 'rename: into itself', call: (io) => fs.renameSync(io.path('dir'), io.path('dir/in')) },
  { title: 'chmod: text', call: (io) => fs.chmodSync(io.path('file.txt'), '700') },
  { title: 'chmod: bad', call: (io) => fs.chmodSync(io.path('file.txt'), 'rwx') },
  { title: 'fchmod', call: (io) => fs.fchmodSync(io.open('file.txt'), 0o640) },
  { title: 'fchmod: closed', call: () => fs.fchmodSync(9999, 0o640) },
  {
    title: 'fchown',
    call: (io) => fs.fchownSync(io.open('file.txt'), process.getuid?.() ?? 0, -1),
  },
  { title: 'chown: bad', call: (io) => fs.chownSync(io.path('file.txt'), -2, 0) },
  {
    title: 'utimes',
    call(io) {
      fs.utimesSync(io.path('file.txt'), new Date(1e12), '1000000000.5');
      const { atimeMs, mtimeMs } = fs.statSync(io.path('file.txt'));
      return [atimeMs, mtimeMs];
    },
  },
  { title: 'utimes: bad', call: (io) => fs.utimesSync(io.path('file.txt'), 'soon', 0) },
  {
    title: 'futimes',
    call(io) {
      fs.futimesSync(io.open('file.txt'), 1, 2);
      return fs.statSync(io.path('file.txt')).mtimeMs;
    },
  },
  { title: 'futimes: closed', call: () => fs.futimesSync(9999, 1, 2) },
  { title: 'fsync', call: (io) => fs.fsyncSync(io.open('file.txt')) },
  { title: 'fsync: closed', call: () => fs.fsyncSync(9999) },
  { title: 'fdatasync', call: (io) => fs.fdatasyncSync(io.open('file.txt', 'a')) },
  { title: 'fdatasync: bad', call: () => fs.fdatasyncSync({} as never) },
  { title: 'readlink: a Buffer', call: (io) => fs.readlinkSync(io.path('link'), 'buffer') },
  { title: 'readlink: encoding', call: (io) => fs.readlinkSync(io.path('link'), 'no' as never) },
  { title: 'realpath: a Buffer', call: (io) => fs.realpathSync(io.path('dirlink'), 'buffer') },
  {
    title: 'realpath.native: hex',
    call: (io) => fs.realpathSync.native(io.path('dirlink'), 'hex'),
  },
  { title: 'symlink: a type', call: (io) => fs.symlinkSync('dir', io.path('new'), 'dir') },
  {
    title: 'symlink: a bad type',
    call: (io) => fs.symlinkSync('dir', io.path('new'), 'no' as never),
  },
  { title: 'link', call: (io) => fs.linkSync(io.path('file.txt'), io.path('new')) },
  { title: 'unlink: as forEach calls it', call: (io) => [io.path('link')].forEach(fs.unlinkSync) },
];

function assertNever(): never {
  throw new Error('called');
}

testTable({ file: import.meta.url, patch: () => patchFs({ park: 'all' }) }, [...whole, ...others]);
