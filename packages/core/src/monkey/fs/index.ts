/** fs: what is worth it parks on its asynchronous twin; everything takes turns with that. See policy.ts. */
import fs from 'node:fs';
import { firstOf, replaceInGreenlets } from '../parking.js';
import { mayPark } from '../reentry/index.js';
import type { NodeFunction } from '../registry.js';
import { byteTwins } from './bytes.js';
import { closingLaterOf, closingOf, isClosed, ofClosed } from './closed.js';
import { directoryTwins, withoutTwins } from './directories.js';
import { inOnePiece, inTurn, type Nature } from './held.js';
import { type FsOptions, policy, setPolicy } from './policy.js';
import { statTwins } from './stats.js';
import { wholeTwins } from './whole.js';

export { checkFsOptions, type FsOptions } from './policy.js';

/** Makes the parked form of a synchronous function from it and its twin. */
export type Twin = (original: NodeFunction, twin: NodeFunction) => NodeFunction;

const reads: Nature = {};
const writes: Nature = { writes: true };
const both: Nature = { paths: [0, 1], writes: true };
const made: Nature = { paths: [1], writes: true };
const descriptor: Nature = { descriptor: true };
const written: Nature = { descriptor: true, writes: true };

/** Functions that only lose their callback: how many arguments the synchronous form takes, and its nature. */
const plain: Record<string, [number, Nature]> = {
  access: [2, reads],
  chmod: [2, writes],
  chown: [3, writes],
  // It waits for the disk, in the midst of what stores do to replace a file: they believe themselves alone.
  fdatasync: [1, written],
  fsync: [1, written],
  fchmod: [2, written],
  fchown: [3, written],
  ftruncate: [2, written],
  futimes: [3, written],
  lchown: [3, writes],
  link: [2, both],
  lutimes: [3, writes],
  mkdir: [2, { ...writes, names: true }],
  readlink: [2, reads],
  realpath: [2, reads],
  'realpath.native': [2, reads],
  rename: [2, { ...both, trees: true }],
  rmdir: [2, { ...writes, trees: true }],
  statfs: [2, reads],
  symlink: [3, made],
  truncate: [2, writes],
  unlink: [1, writes],
  utimes: [3, writes],
};

/** Costs less than a switch, unless the file system is far away. */
function rarely(nature: Nature, makeParked: Twin): Twin {
  return (original, twin) => {
    const whole = inOnePiece(original, nature);
    const parked = makeParked(original, twin);
    return function (this: unknown, ...args: unknown[]): unknown {
      const parks = policy.park === 'all' && mayPark();
      return Reflect.apply(parks ? parked : whole, this, args);
    };
  };
}

/** A descriptor that is closed, but kept from being given out again, is closed. */
function notOfClosed(original: NodeFunction, call: NodeFunction): NodeFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    return isClosed(args[0]) ? ofClosed(original, args) : Reflect.apply(call, this, args);
  };
}

function twinOf(path: string): unknown {
  return path.split('.').reduce<unknown>((at, key) => (at as never)[key], fs);
}

/** `realpath.native` is the twin of `realpathSync.native`. */
function nameOf(twin: string): string {
  const [first, ...rest] = twin.split('.');
  return [`${first}Sync`, ...rest].join('.');
}

export function installFs(options: FsOptions = {}): void {
  setPolicy(options);
  const twins: Record<string, Twin> = { ...byteTwins, ...directoryTwins, ...wholeTwins };
  const close = rarely(written, (shut, twin) => inTurn(shut, twin, written, { args: firstOf(1) }));
  twins.close = (original, twin) => close(closingOf(original), closingLaterOf(twin));
  for (const [name, [count, nature]] of Object.entries(plain))
    twins[name] = rarely(nature, (original, twin) =>
      inTurn(original, twin, nature, { args: firstOf(count) }),
    );
  for (const [name, make] of Object.entries(statTwins))
    twins[name] = rarely(name === 'fstat' ? descriptor : reads, make);
  for (const [name, make] of Object.entries(twins)) {
    const twin = twinOf(name);
    if (typeof twin === 'function')
      replaceInGreenlets('fs', nameOf(name), (original) =>
        notOfClosed(original, make(original, twin as NodeFunction)),
      );
  }
  for (const [name, make] of Object.entries(withoutTwins)) replaceInGreenlets('fs', name, make);
}
