/** The arguments of spawnSync and its kind: what is refused, and what child_process.spawn makes of them. */
import type { SpawnOptions, SpawnSyncOptions } from 'node:child_process';
import { isArrayBufferView } from 'node:util/types';
import type { Limits } from './child-run.js';
import { isTurnTaken } from './spawn-turns.js';

/** With what spawnSync takes beyond its documentation. */
export type Options = SpawnSyncOptions & { argv0?: string; detached?: boolean };

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
  const probe = Object.create(Object.getPrototypeOf(options), {
    ...Object.getOwnPropertyDescriptors(options),
    input: { value: new TendrilProbe(), enumerable: true },
  }) as Options;
  try {
    call(probe);
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

/** What is written to its standard input; undefined for an end at once. */
export function inputOf({ input, encoding }: Options): Uint8Array | undefined {
  if (!input) return undefined;
  if (typeof input === 'string') return Buffer.from(input, encoding as BufferEncoding);
  return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
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
  const own = {
    stdio: options.stdio || 'pipe',
    timeout: undefined,
    killSignal: undefined,
    signal: undefined,
    serialization: undefined,
    detached: leads,
    // As they are at the time of the call: the start is some turns later.
    ...(isTurnTaken() && {
      env: options.env || { ...process.env },
      cwd: options.cwd ?? currentDirectory(),
    }),
  };
  return Object.create(Object.getPrototypeOf(options), {
    ...Object.getOwnPropertyDescriptors(options),
    ...Object.getOwnPropertyDescriptors(own),
  }) as SpawnOptions;
}

function currentDirectory(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined; // it has been removed
  }
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
  return { file: args[0] as string, list: [...list], options };
}
