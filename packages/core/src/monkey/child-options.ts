/** The arguments of spawnSync and its kind: what is refused, and what child_process.spawn makes of them. */
import childProcess, {
  type ChildProcess,
  type SpawnOptions,
  type SpawnSyncOptions,
} from 'node:child_process';
import path from 'node:path';
import { isArrayBufferView } from 'node:util/types';
import type { Limits } from './child-run.js';
import { keepMask } from './mask.js';

const { spawnSync } = childProcess; // as it is before it is patched

/** With what spawnSync takes beyond its documentation. */
export type Options = SpawnSyncOptions & { argv0?: string; detached?: boolean };

/** What counts on some Nodes when it is inherited, too; of everything else they see own properties. */
const inheritable = ['argv0', 'cwd', 'detached', 'env', 'shell'] as const;

/** The options as they are now, each read once. */
export function snapshotOf(given: Options): Options {
  const options: Record<string, unknown> = { ...given };
  const prototype = Object.getPrototypeOf(given);
  if (prototype === null || prototype === Object.prototype || !inherits()) return options;
  for (const name of inheritable)
    if (!Object.hasOwn(options, name) && given[name] !== undefined) options[name] = given[name];
  return options;
}

let inheriting: boolean | undefined;

/** Whether this Node is one of them: asked with a directory that it would refuse. */
function inherits(): boolean {
  inheriting ??= !takes({ killSignal: 'SIGTERM' }, ({ input }) =>
    spawnSync('true', [], Object.assign(Object.create({ cwd: 0 }), { input })),
  );
  return inheriting;
}

/** An input that is refused, by the last of all checks and by its class's name. */
class TendrilProbe {}

/**
 * Whether a function of spawnSync's kind takes these options. It is asked: with them and an input that
 * is always refused, so that it never starts anything.
 *
 * @param call calls it with the options that it is given
 */
export function takes(options: Options, call: (probe: Options) => unknown): boolean {
  if (isPlain(options)) return true;
  try {
    call({ ...options, input: new TendrilProbe() as never });
    return false;
  } catch (error) {
    return (error as Error).message.includes('TendrilProbe') && hasGoodInput(options);
  }
}

const plainStdio = new Set<unknown>([undefined, null, 'pipe', 'ignore', 'inherit', 0, 1, 2]);

/**
 * Whether nothing is given that child_process.spawn would not refuse as well: to ask takes a quarter of
 * a millisecond, and many may call in one turn.
 */
function isPlain(options: Options): boolean {
  const { timeout, maxBuffer, killSignal, input, detached, stdio } = options;
  return (
    (timeout === undefined || (Number.isInteger(timeout) && timeout >= 0)) &&
    (maxBuffer === undefined || maxBuffer >= 0) &&
    typeof (maxBuffer ?? 0) === 'number' &&
    (detached === undefined || typeof detached === 'boolean') &&
    killSignal === undefined &&
    hasGoodInput({ input, encoding: options.encoding }) &&
    (Array.isArray(stdio) ? stdio.every((one) => plainStdio.has(one)) : plainStdio.has(stdio))
  );
}

function hasGoodInput({ input, encoding }: Options): boolean {
  if (!input || isArrayBufferView(input)) return true;
  return (
    typeof input === 'string' && (encoding === null || !encoding || Buffer.isEncoding(encoding))
  );
}

/**
 * What is written to its standard input; undefined for an end at once. A copy: others may use the
 * caller's buffer before all is written.
 */
export function inputOf({ input, encoding }: Options): Uint8Array | undefined {
  if (!input) return undefined;
  if (typeof input === 'string') return Buffer.from(input, encoding as BufferEncoding);
  return new Uint8Array(input.buffer, input.byteOffset, input.byteLength).slice();
}

/** A mebibyte, unless it is given: then none, null and 0 are no limit at all, as in Node. */
const defaultMaxBuffer = 1024 * 1024;

export function limitsOf(options: Options): Limits {
  const { timeout, killSignal } = options;
  const maxBuffer = Object.hasOwn(options, 'maxBuffer') ? options.maxBuffer : defaultMaxBuffer;
  return { timeout: timeout ?? 0, maxBuffer: maxBuffer ?? 0, killSignal: killSignal ?? 'SIGTERM' };
}

/** For child_process.spawn: without the limits, which it has in another form, and what else it would take. */
export function twinOptions(options: Options, leads: boolean): SpawnOptions {
  return {
    ...options,
    stdio: options.stdio || 'pipe',
    timeout: undefined,
    killSignal: undefined,
    signal: undefined,
    serialization: undefined,
    detached: leads,
  } as SpawnOptions;
}

/**
 * Makes a start that comes some turns later find what it would find now: environment, directory, mask
 * of modes.
 */
export function keepForLater<T>(options: SpawnOptions, start: () => T): () => T {
  const underMask = keepMask();
  options.env = copyOf(options.env ?? process.env);
  options.cwd = fullPath(options.cwd);
  if (Array.isArray(options.stdio)) options.stdio = [...options.stdio];
  return () => underMask(start);
}

/** The same for a start at once that may be in vain, and is made again then. */
export function keepIfInVain(options: SpawnOptions, start: () => ChildProcess): () => ChildProcess {
  let again: (() => ChildProcess) | undefined;
  return () => {
    if (again) return again();
    let child: ChildProcess | undefined;
    try {
      child = start();
      return child;
    } finally {
      if (child?.pid === undefined) again = keepForLater(options, start);
    }
  };
}

/** With what it inherits, as Node has it. */
function copyOf(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const copy: NodeJS.ProcessEnv = {};
  for (const name in env) copy[name] = env[name];
  return copy;
}

function fullPath(cwd: string | URL | undefined): string | URL | undefined {
  if (cwd instanceof URL || (cwd && path.isAbsolute(cwd))) return cwd;
  try {
    // As it stands: `link/..` is where the link leads to, and one up.
    return cwd ? `${process.cwd()}/${cwd}` : process.cwd();
  } catch {
    return cwd; // the current directory has been removed
  }
}

/** The program that is started, and its arguments: with the option `shell`, the shell and its. */
export function commandOf(file: string, list: readonly string[], { shell }: Options) {
  if (!shell) return { file, args: list };
  const line = [file, ...list].join(' ');
  return { file: typeof shell === 'string' ? shell : '/bin/sh', args: ['-c', line] };
}

/** The command, arguments and options of a call, in their various forms; undefined for others. */
export function readArguments(
  args: readonly unknown[],
  nullIsNone: boolean,
): { file: string; list: readonly string[]; options: Options } | undefined {
  const short = !Array.isArray(args[1]) && typeof args[1] === 'object' && args[1] !== null;
  const list = short ? [] : (args[1] ?? []);
  const given = short ? args[1] : args[2];
  const options = given === undefined || (given === null && nullIsNone) ? {} : given;
  if (!Array.isArray(list) || typeof options !== 'object' || !options || Array.isArray(options))
    return undefined;
  return { file: args[0] as string, list: [...list], options: snapshotOf(options) };
}
