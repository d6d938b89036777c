/**
 * child_process: spawnSync, execSync and execFileSync park on child_process.spawn.
 *
 * The three of Node share one call of libuv, which runs a loop of its own until the child has ended.
 * What they return and throw is made here from what `spawn` tells; what they refuse, they refuse
 * themselves.
 */

import { InvalidArgumentError } from '../errors.js';
import { hasTerminal } from './child-group.js';
import {
  commandOf,
  inputOf,
  keepForLater,
  keepIfInVain,
  limitsOf,
  type Options,
  readArguments,
  takes,
  twinOptions,
} from './child-options.js';
import { mustWait, setPlaces } from './child-places.js';
import { outputOf, type Result, resultOf, resultOfFailure } from './child-result.js';
import { runChild } from './child-run.js';
import { spawnOrClose } from './child-spawn.js';
import { forgetSmall } from './fs/policy.js';
import { replaceParking } from './parking.js';

export interface ChildProcessOptions {
  /**
   * How many children of greenlets may run at once; others wait in order. A whole number from 1, or
   * Infinity. Default: twice the processors, and 60 for children that wait themselves.
   */
  maxChildren?: number;
}

/** @throws InvalidArgumentError */
export function checkChildProcessOptions({ maxChildren, ...unknown }: ChildProcessOptions): void {
  for (const name of Object.keys(unknown))
    throw new InvalidArgumentError('childProcess', 'an object with maxChildren', name);
  const counts = maxChildren === undefined || maxChildren === Number.POSITIVE_INFINITY;
  if (!counts && !(Number.isInteger(maxChildren) && maxChildren >= 1))
    throw new InvalidArgumentError('maxChildren', 'a whole number from 1', maxChildren);
}

export function installChildProcess({ maxChildren }: ChildProcessOptions = {}): void {
  if (maxChildren !== undefined) setPlaces(maxChildren);

  replaceParking('child_process', 'spawnSync', (original) => (...args) => {
    const call = readArguments(args, false);
    if (!call || !takes(call.options, (probe) => original(call.file, call.list, probe)))
      return original(...args);
    return start(call.file, call.list, call.options) ?? original(...args);
  });

  replaceParking('child_process', 'execFileSync', (original) => (...args) => {
    const call = readArguments(args, true);
    if (!call || !takes(call.options, (probe) => original(call.file, call.list, probe)))
      return original(...args);
    const { file, list, options } = call;
    const result = start(file, list, options);
    const command = [options.argv0 || file, ...list].join(' ');
    return result ? outputOf(result, options, command) : original(...args);
  });

  replaceParking('child_process', 'execSync', (original) => (...args) => {
    const [command, given] = args as [string, Options | null | undefined];
    const options = { ...given };
    if (typeof options.shell !== 'string') options.shell = true as never;
    if (typeof (given ?? {}) !== 'object' || !takes(options, (probe) => original(command, probe)))
      return original(...args);
    const result = start(command, [], options);
    return result ? outputOf(result, options, command) : original(...args);
  });
}

/** Undefined where nothing has been started: the original says why. */
function start(file: string, list: readonly string[], options: Options): Result | undefined {
  const leads = options.detached === true || !hasTerminal();
  const twin = twinOptions(options, leads);
  const now = () => spawnOrClose(file, list, twin);
  const begin = mustWait() ? keepForLater(twin, now) : keepIfInVain(twin, now);
  const outcome = runChild(begin, leads, inputOf(options), limitsOf(options));
  forgetSmall(); // it may have changed any file
  if (!('failure' in outcome)) return resultOf(outcome, options);
  const { code } = outcome.failure ?? {};
  return code === undefined ? undefined : resultOfFailure(code, commandOf(file, list, options));
}
