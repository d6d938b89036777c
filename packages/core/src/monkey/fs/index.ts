/** fs: each synchronous function parks on its asynchronous twin. */
import fs from 'node:fs';
import { firstOf, replaceParking, through } from '../parking.js';
import type { NodeFunction } from '../registry.js';
import { byteTwins } from './bytes.js';
import { directoryTwins, withoutTwins } from './directories.js';
import { statTwins } from './stats.js';

/** Makes the parked form of a synchronous function from it and its twin. */
export type Twin = (original: NodeFunction, twin: NodeFunction) => NodeFunction;

/** Functions that only lose their callback, with how many arguments the synchronous form takes. */
const plain: Record<string, number> = {
  access: 2,
  chmod: 2,
  chown: 3,
  close: 1,
  copyFile: 3,
  fchmod: 2,
  fchown: 3,
  fdatasync: 1,
  fsync: 1,
  ftruncate: 2,
  futimes: 3,
  lchmod: 2,
  lchown: 3,
  link: 2,
  lutimes: 3,
  mkdir: 2,
  readlink: 2,
  realpath: 2,
  'realpath.native': 2,
  rename: 2,
  rmdir: 2,
  statfs: 2,
  symlink: 3,
  truncate: 2,
  unlink: 1,
  utimes: 3,
};

function twinOf(path: string): unknown {
  return path.split('.').reduce<unknown>((at, key) => (at as never)[key], fs);
}

/** `realpath.native` is the twin of `realpathSync.native`. */
function nameOf(twin: string): string {
  const [first, ...rest] = twin.split('.');
  return [`${first}Sync`, ...rest].join('.');
}

export function installFs(): void {
  const twins: Record<string, Twin> = { ...byteTwins, ...directoryTwins, ...statTwins };
  for (const [name, count] of Object.entries(plain))
    twins[name] = (original, twin) => through(original, twin, { args: firstOf(count) });
  for (const [name, make] of Object.entries(twins)) {
    const twin = twinOf(name);
    if (typeof twin === 'function')
      replaceParking('fs', nameOf(name), (original) => make(original, twin as NodeFunction));
  }
  for (const [name, make] of Object.entries(withoutTwins)) replaceParking('fs', name, make);
  for (const name of ['read', 'close'] as const) {
    const twin = fs.Dir.prototype[name] as NodeFunction;
    replaceParking('fs', `Dir.prototype.${name}Sync`, (original) =>
      through(original, twin, { args: firstOf(0) }),
    );
  }
}
