/**
 * Makes Node's blocking functions cooperative (gevent.monkey): in a greenlet they park it while the
 * asynchronous form runs, with the same arguments, results and errors; everywhere else they are what
 * they were.
 *
 * @example
 *     import { patchAll } from '@tendril/core/monkey';
 *     patchAll();
 * @module
 */
import { InvalidArgumentError } from '../errors.js';
import { installAtomics } from './atomics.js';
import {
  type ChildProcessOptions,
  checkChildProcessOptions,
  installChildProcess,
} from './child-process.js';
import { installCrypto } from './crypto.js';
import { installDns } from './dns.js';
import { installEvents } from './events.js';
import { checkFsOptions, type FsOptions, installFs } from './fs/index.js';
import { installHttp } from './http.js';
import { warnWhenLate } from './late.js';
import { watchLoading } from './loading.js';
import { checkPackages, type PackageOptions, setPackages } from './reentry/index.js';
import { publish } from './registry.js';
import { installTimers } from './timers.js';
import { installZlib } from './zlib.js';

export type { ChildProcessOptions } from './child-process.js';
export type { FsOptions } from './fs/index.js';
export type { PackageOptions } from './reentry/index.js';
export { getOriginal, isPatched, restore } from './registry.js';

/** What can be patched, by the name of its option. */
const installers = {
  crypto: installCrypto,
  fs: installFs,
  http: installHttp,
  childProcess: installChildProcess,
  atomics: installAtomics,
  dns: installDns,
  timers: installTimers,
  events: installEvents,
  zlib: installZlib,
};

type Part = keyof typeof installers;

/** The options of parts that have any, and what looks at them before anything is patched. */
interface OptionsOfParts {
  childProcess: ChildProcessOptions;
  fs: FsOptions;
}
const checks: { [P in keyof OptionsOfParts]: (options: OptionsOfParts[P]) => void } = {
  childProcess: checkChildProcessOptions,
  fs: checkFsOptions,
};

/** Parts to leave alone, as `false`; all are patched by default. Some have options of their own. */
export type PatchOptions = {
  [P in Part]?: boolean | (P extends keyof OptionsOfParts ? OptionsOfParts[P] : never);
} & PackageOptions;

function patch(parts: readonly Part[], options: PatchOptions = {}): void {
  warnWhenLate();
  watchLoading();
  for (const part of parts) {
    const own = options[part];
    const install = installers[part] as (options?: object) => void;
    install(typeof own === 'object' ? own : undefined);
  }
  publish();
}

/** @throws InvalidArgumentError */
function check(name: string, value: unknown): void {
  if (name === 'blockIn' || name === 'parkIn') {
    checkPackages(name, value);
    return;
  }
  const parts = Object.keys(installers);
  if (!parts.includes(name))
    throw new InvalidArgumentError('options', `of ${parts.join(', ')}, blockIn, parkIn`, name);
  if (value === undefined || typeof value === 'boolean') return;
  const hasOptions = name in checks;
  if (!hasOptions || typeof value !== 'object' || value === null || Array.isArray(value)) {
    const expected = hasOptions ? 'true, false or an object of options' : 'true or false';
    throw new InvalidArgumentError(name, expected, value);
  }
  checks[name as keyof OptionsOfParts](value);
}

/**
 * Patches all that can be, or all but what is `false` in the options. Call it before anything else is
 * loaded, or start Node with `--import @tendril/core/monkey/register`: a CommonJS module that has
 * taken a function out of its module (`const { readFileSync } = require('fs')`) keeps what it took.
 * Patching twice is harmless.
 * @throws InvalidArgumentError for an option that is no part, or a value that a part does not take:
 *   nothing is patched then
 */
export function patchAll(options: PatchOptions = {}): void {
  for (const [name, value] of Object.entries(options)) check(name, value);
  const parts = Object.keys(installers) as Part[];
  setPackages(options);
  patch(
    parts.filter((part) => options[part] !== false),
    options,
  );
}

/**
 * `fs`: every function that ends in Sync. Which of their calls park is the options' to say.
 * @throws InvalidArgumentError
 */
export function patchFs(options: FsOptions = {}): void {
  patch(['fs'], { fs: options });
}

/**
 * `http`: what listens to the events of HTTP servers (`request`, `upgrade`, `connect`,
 * `checkContinue`, `checkExpectation`) runs in greenlets, and so does what listens to the end of a
 * request's body, where body parsers go on to the handler. Servers made before are no exception.
 *
 * What an async handler does after its first `await` is outside the greenlet: there, blocking calls
 * block.
 */
export function patchHttp(): void {
  patch(['http']);
}

/** `child_process`: spawnSync, execSync, execFileSync. */
export function patchChildProcess(): void {
  patch(['childProcess']);
}

/** `Atomics.wait`. Loops around `receiveMessageOnPort` block as ever. */
export function patchAtomics(): void {
  patch(['atomics']);
}

/** `dns` and `dns/promises`: lookup, resolve and its kind, reverse; in greenlets and outside them. */
export function patchDns(): void {
  patch(['dns']);
}

/** `timers/promises`: what a greenlet starts goes by the hub's clock and ends when it is killed. */
export function patchTimers(): void {
  patch(['timers']);
}

/** `events`: once() and on() in a greenlet end when it is killed. */
export function patchEvents(): void {
  patch(['events']);
}

/** `zlib`: what packs or unpacks in one call. */
export function patchZlib(): void {
  patch(['zlib']);
}

/** `crypto`: keys from passwords, new keys and primes, signatures, and many random bytes. */
export function patchCrypto(): void {
  patch(['crypto']);
}
