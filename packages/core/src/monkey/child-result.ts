/** What spawnSync returns and its kind throws, made from what child_process.spawn tells. */
import childProcess, { type SpawnSyncReturns } from 'node:child_process';
import { constants } from 'node:os';
import type { Options } from './child-options.js';
import type { Outcome } from './child-run.js';

export type Result = SpawnSyncReturns<string | Buffer | null>;

const { spawnSync } = childProcess;

let prototype: object | undefined;

/** Of Node's errors of the system, which is not Error's own: taken from one that costs nothing. */
function systemPrototype(): object {
  if (prototype) return prototype;
  try {
    process.kill(2 ** 31 - 1, 0); // larger than any process id can be
  } catch (error) {
    prototype = Object.getPrototypeOf(error) as object;
  }
  return prototype ?? Error.prototype;
}

/** An error of the system, as Node makes it: its number, code, syscall, path and arguments. */
function systemError(code: string, file: string, args: readonly string[]): Error {
  const syscall = `spawnSync ${file}`;
  const errno = -((constants.errno as Record<string, number>)[code] ?? 0);
  const error = new Error(`${syscall} ${code}`);
  Object.setPrototypeOf(error, systemPrototype());
  return Object.assign(error, { errno, code, syscall, path: file, spawnargs: args });
}

/** Of a child that has run. */
export function resultOf(outcome: Outcome, { encoding }: Options): Result {
  const { code, file, args, status, signal, pid } = outcome;
  const output = outcome.output.map((bytes) =>
    bytes && encoding && encoding !== 'buffer' ? bytes.toString(encoding) : bytes,
  );
  const error = code === undefined ? undefined : { error: systemError(code, file, args) };
  const [, stdout, stderr] = output;
  return { ...error, status, signal, output, pid, stdout, stderr } as Result;
}

let nothing: Result | undefined;

/** Of a child that could not be started: where Node's versions differ, as this one has it. */
export function resultOfFailure(
  code: string,
  { file, args }: { file: string; args: readonly string[] },
): Result {
  // No directory can be run: found out once.
  nothing ??= spawnSync('/') as Result;
  return { ...nothing, error: systemError(code, file, args) };
}

/** What execSync and execFileSync make of a result: the output, or an error that is thrown. */
export function outputOf(
  result: Result,
  options: Options,
  command: string,
): string | Buffer | null {
  const { error, status, stdout, stderr } = result;
  if (!options.stdio && stderr) process.stderr.write(stderr);
  if (error) throw Object.assign(error, result);
  if (status === 0) return stdout;
  const said = stderr?.length ? `\n${stderr}` : '';
  throw Object.assign(new Error(`Command failed: ${command}${said}`), result);
}
