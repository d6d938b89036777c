/** fs: each synchronous function parks on its asynchronous twin. */
import fs from 'node:fs';
import { replaceParking, type ThroughOptions, through } from './parking.js';
import type { NodeFunction } from './registry.js';

const closeLate: ThroughOptions = {
  // Nobody has the descriptor that a killed greenlet had asked for.
  discard: (fd) => fs.close(fd as number),
};

/** Functions that only lose their callback: with what is special about them. */
const twins: Record<string, ThroughOptions> = {
  access: {},
  appendFile: {},
  chmod: {},
  chown: {},
  close: {},
  copyFile: {},
  fchmod: {},
  fchown: {},
  fdatasync: {},
  fstat: {},
  fsync: {},
  ftruncate: {},
  futimes: {},
  lchown: {},
  link: {},
  lstat: {},
  lutimes: {},
  mkdir: {},
  mkdtemp: {},
  open: closeLate,
  read: {},
  readFile: {},
  readdir: {},
  readlink: {},
  realpath: {},
  'realpath.native': {},
  rename: {},
  rm: {},
  rmdir: {},
  stat: {},
  statfs: {},
  symlink: {},
  truncate: {},
  unlink: {},
  utimes: {},
  write: {},
  writeFile: {},
};

export function installFs(): void {
  for (const [name, options] of Object.entries(twins)) {
    const twin = name.split('.').reduce<unknown>((at, key) => (at as never)[key], fs);
    const path = name === 'realpath.native' ? 'realpathSync.native' : `${name}Sync`;
    if (typeof twin === 'function')
      replaceParking('fs', path, (original) => through(original, twin as NodeFunction, options));
  }
}
