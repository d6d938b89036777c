/** Directories and trees. */
import fs from 'node:fs';
import path from 'node:path';
import { firstOf } from '../parking.js';
import { mayPark } from '../reentry/index.js';
import type { NodeFunction } from '../registry.js';
import { claimOf } from './claims.js';
import { parkedCopy } from './copy.js';
import { during, inOnePiece, inTurn, type Nature, throughInTurn } from './held.js';
import type { Twin } from './index.js';
import { isWorth, lookAtPath, policy } from './policy.js';
import { parkedReaddir } from './readdir.js';
import { absolute, here } from './taken.js';

const { lstatSync } = fs;

/** The asynchronous form's directory is removed by a promise: this one's by a call that parks. */
function disposable(_original: NodeFunction): NodeFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    const home = here() ?? ''; // the process may change its directory
    const name = (fs.mkdtempSync as NodeFunction)(...args.slice(0, 2));
    const full = path.resolve(home, String(name));
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

interface GlobOptions {
  cwd?: unknown;
  withFileTypes?: unknown;
}

function isOptions(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Where it looks: below the parts of patterns in which nothing is to be found out. */
function basesOf(patterns: unknown, cwd: string): string[] {
  const list = Array.isArray(patterns) ? patterns : [patterns];
  return list
    .filter((pattern) => typeof pattern === 'string')
    .map((pattern) => path.resolve(cwd, /^([^*?[\]{}()!+@\\]*\/)?/.exec(pattern)?.[0] ?? ''));
}

/** What is found is of the directory as it was at the call. */
const parkedGlob: Twin = (original, twin) => {
  const claimed = ([patterns, options]: readonly unknown[]) =>
    claimOf(basesOf(patterns, (options as { cwd: string }).cwd), false, true);
  const parked = throughInTurn(original, twin, claimed, { args: firstOf(2) });
  return function (this: unknown, ...args: unknown[]): unknown {
    const [patterns, given = {}] = args as [unknown, GlobOptions?];
    const cwd = given?.cwd === undefined ? here() : absolute(given.cwd);
    if (!isOptions(given) || cwd === undefined) return Reflect.apply(original, this, args);
    // Its entries say where they are by the directory as it is given: such a call is one of this moment.
    const asItIs = Boolean(given.withFileTypes) && cwd !== given.cwd;
    const taken = [Array.isArray(patterns) ? [...patterns] : patterns, { ...given, cwd }];
    if (policy.park === 'none' || asItIs || !mayPark())
      return during(claimed(taken), () => Reflect.apply(original, this, args));
    return Reflect.apply(parked, this, taken);
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

/** These never park by themselves: they cost less than a switch, or have no twin that takes a callback. */
export const withoutTwins: Record<string, (original: NodeFunction) => NodeFunction> = {
  mkdtempSync: (original) => inOnePiece(original, { writes: true, names: true }),
  opendirSync: (original) => inOnePiece(original, {}),
  mkdtempDisposableSync: disposable,
};
