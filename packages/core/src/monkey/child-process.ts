/**
 * child_process: spawnSync, execSync and execFileSync park on child_process.spawn.
 *
 * The three of Node share one call of libuv, which runs a loop of its own until the child has ended.
 * What they return and throw is made here from what `spawn` tells; what they refuse, they refuse
 * themselves.
 */
import childProcess from 'node:child_process';
import { hasTerminal } from './child-group.js';
import {
  inputOf,
  limitsOf,
  type Options,
  readArguments,
  takes,
  twinOptions,
} from './child-options.js';
import { outputOf, type Result, resultOf, resultOfFailure } from './child-result.js';
import { runChild } from './child-run.js';
import { replaceParking } from './parking.js';

const { spawn } = childProcess;

export function installChildProcess(): void {
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
  const limits = limitsOf(options);
  const outcome = runChild(() => spawn(file, list, twin), leads, inputOf(options), limits);
  if (!('failure' in outcome)) return resultOf(outcome, options);
  return outcome.failure && resultOfFailure(outcome.failure);
}
