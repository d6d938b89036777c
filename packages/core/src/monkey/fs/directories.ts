/** Directories and trees. */
import fs from 'node:fs';
import path from 'node:path';
import { firstOf, through } from '../parking.js';
import { mayPark } from '../reentry/index.js';
import type { NodeFunction } from '../registry.js';
import { parkedCopy } from './copy.js';
import { inOnePiece, inTurn, type Nature } from './held.js';
import type { Twin } from './index.js';
import { isWorth, lookAtPath, policy } from './policy.js';
import { parkedReaddir } from './readdir.js';
import { absolute } from './taken.js';

const { lstatSync, mkdtempSync } = fs;

/** The asynchronous form's directory is removed by a promise: this one's by a call that parks. */
function disposable(_original: NodeFunction): NodeFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    const name = (mkdtempSync as NodeFunction)(...args.slice(0, 2));
    const full = path.resolve(String(name)); // the process may change its directory
    const remove = () => fs.rmSync(full, { recursive: true, force: true });
    return {
      path: name,
      remove,
      [Symbol.dispose]() {
        remove();
      },
    };
  };
}

const tree: Nature = { writes: true, trees: true };

/** A directory with what is in it. How the two forms take `link/` and `dir/.` differs: that is the original's. */
function isTree([name, options]: readonly unknown[]): boolean {
  if (typeof options !== 'object' || (options as fs.RmOptions | null)?.recursive !== true)
    return false;
  const plain = absolute(name);
  if (plain === undefined || /(^|\/)\.{0,2}$/.test(String(name))) return false;
  try {
    return lstatSync(plain, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false;
  }
}

const parkedRm: Twin = (original, twin) => {
  const whole = inOnePiece(original, tree);
  const parked = inTurn(original, twin, tree, { args: firstOf(2) });
  return function (this: unknown, ...args: unknown[]): unknown {
    const worth = policy.park !== 'none' && isTree(args) && mayPark();
    return Reflect.apply(worth ? parked : whole, this, args);
  };
};

/** What is found is of the directory as it was at the call. */
const parkedGlob: Twin = (original, twin) => {
  const parked = through(original, twin, { args: firstOf(2) });
  return function (this: unknown, ...args: unknown[]): unknown {
    if (policy.park === 'none' || !mayPark()) return Reflect.apply(original, this, args);
    const [pattern, options] = args as [unknown, { cwd?: unknown } | undefined];
    const { cwd = process.cwd() } = options ?? {};
    return Reflect.apply(parked, this, [pattern, { ...options, cwd }]);
  };
};

const copying: Nature = { paths: [0, 1], writes: true };

const parkedCopyFile: Twin = (original, twin) => {
  const whole = inOnePiece(original, copying);
  const parked = inTurn(original, twin, copying, { args: firstOf(3) });
  return function (this: unknown, ...args: unknown[]): unknown {
    const name = absolute(args[0]);
    const look = name === undefined ? undefined : lookAtPath(name);
    const worth = look !== undefined && isWorth(look, look.size);
    return Reflect.apply(worth ? parked : whole, this, args);
  };
};

export const directoryTwins: Record<string, Twin> = {
  copyFile: parkedCopyFile,
  cp: parkedCopy,
  glob: parkedGlob,
  readdir: parkedReaddir,
  rm: parkedRm,
};

/** These have no twin that takes a callback. */
export const withoutTwins: Record<string, (original: NodeFunction) => NodeFunction> = {
  mkdtempDisposableSync: disposable,
};
