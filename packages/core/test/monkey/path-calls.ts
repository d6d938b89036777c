/** A call of each function of fs that takes a path. */
import fs from 'node:fs';
import type { Io } from './scratch.js';

type Call = (path: fs.PathLike, io: Io) => unknown;

/** Seconds, for the functions that set times. */
const time = 1_500_000_000;

/** Every function that takes a path first; what else they are given does not matter to what goes wrong. */
export const pathCalls = {
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
} satisfies Record<string, Call>;
