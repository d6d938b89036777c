/** Loads the addon that fits this Node, or says why none does. One copy of this package does so in each thread. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { watchAddons } from './addons.js';
import { findAsyncDepth } from './async-depth.js';
import { FiberError, type FiberErrorCode } from './errors.js';
import type { FiberConstructor, FiberStatistics } from './types.js';
import { watchLimits } from './vm-limits.js';

export interface Native {
  Fiber: FiberConstructor;
  statistics(): FiberStatistics;
  /** The value AsyncLocalStorage keeps its stores in (Node 24 and later), of whoever runs now. */
  getContextFrame(): unknown;
  setContextFrame(frame: unknown): void;
  /** For fibers that ask for no size; before any is made. In bytes, within the limits of `stackSize`. */
  setDefaultStackSize(bytes: number): void;
  /** See async-depth.ts. False: there is nothing to look for. */
  beginAsyncDepth(): boolean;
  keepAsyncDepth(more: number): void;
  endAsyncDepth(): void;
  /** To be called when an addon may have been loaded: how many of N-API there are now. */
  updateAddons(): number;
  /** Whether who runs is inside a call of an addon that somebody else is in, too. */
  sharesAddon(): boolean;
  /** How many calls pin the running fiber, or the main stack, to where it is. */
  getPins(): number;
  setPins(pins: number): void;
  setErrorFactory(factory: (code: FiberErrorCode) => Error): void;
  /** Set instead of everything else where the addon found that it cannot run. */
  reason?: string;
}

/** In bytes: of address space, and V8's default for JavaScript. What coroutine.h says. */
const stackSizes = {
  minimum: 131_072,
  maximum: 67_108_864,
  byDefault: 8 * 1024 * 1024,
  javaScript: 984 * 1024,
};

/** What one copy of this package shares with all others in its thread. */
export interface Engine {
  /** Of this interface and {@link Native}: another one is of a copy that cannot be used. */
  readonly protocol: number;
  /** The folder of the copy that has loaded it. */
  readonly place: string;
  readonly native: Native;
  readonly FiberError: typeof FiberError;
  /** See index.ts. */
  readonly pinnedBy: () => string | undefined;
}

const protocol = 1;
const place = fileURLToPath(new URL('..', import.meta.url));
const key = Symbol.for('tendril.fiber.engine');

function isGlibc(): boolean {
  const report = process.report?.getReport() as
    | { header?: { glibcVersionRuntime?: string } }
    | undefined;
  return report?.header?.glibcVersionRuntime !== undefined;
}

/**
 * The size of a stack that nobody has asked for another one: TENDRIL_STACK_SIZE, in bytes; otherwise 8 MiB, or
 * more if `node --stack-size` gives more than V8's 984 KiB to JavaScript.
 */
function defaultStackSize(): number | string {
  const text = process.env.TENDRIL_STACK_SIZE;
  if (text !== undefined && text !== '') {
    const bytes = Number(text);
    if (bytes >= stackSizes.minimum && bytes <= stackSizes.maximum) return bytes;
    const { minimum, maximum } = stackSizes;
    return `TENDRIL_STACK_SIZE must be a number of bytes from ${minimum} to ${maximum}, and is ${text}`;
  }
  const option = process.execArgv.findLast((each) => /^--stack[-_]size=\d+$/.test(each));
  const javaScript = Number(option?.split('=')[1] ?? 0) * 1024;
  const more = Math.max(0, javaScript - stackSizes.javaScript);
  return Math.min(stackSizes.byDefault + more, stackSizes.maximum);
}

/** Two engines would each take the other's stacks for the main one: a second copy uses that of the first. */
function adopt(other: Engine): Engine | string {
  if (other.protocol === protocol) return other;
  return (
    `The fibers of this thread belong to another version of @tendril/fiber, at ${other.place}, and not to this one, ` +
    `at ${place}. Find out why there are two with \`npm ls @tendril/fiber\`, and make them one with \`npm dedupe\`.`
  );
}

function watchPins(native: Native): () => string | undefined {
  const isLimited = watchLimits(native);
  const sharesAddon = watchAddons(native);
  return () => {
    if (isLimited()) return 'code of node:vm with a `timeout` or `breakOnSigint` is on its stack';
    if (sharesAddon())
      return 'it is inside a call of a native addon that another one is parked in, which allows one at a time';
    return undefined;
  };
}

function load(): Engine | string {
  const other = Reflect.get(process, key) as Engine | undefined;
  if (other) return adopt(other);
  const { platform, arch, versions } = process;
  if (platform !== 'linux' || (arch !== 'x64' && arch !== 'arm64'))
    return `Only Linux on x64 and arm64 is supported, and this is ${platform} on ${arch}.`;
  const major = Number(versions.node.split('.')[0]);
  if (major < 20) return `Node 20.19 or later is needed, and this is ${versions.node}.`;
  const file = fileURLToPath(
    new URL(`../prebuilds/linux-${arch}/fiber.abi${versions.modules}.node`, import.meta.url),
  );
  if (!existsSync(file)) {
    if (!isGlibc()) return 'A Node built against glibc is needed (this one is not).';
    return `No binary for Node ${versions.node} (ABI ${versions.modules}) is installed. Run: npx tendril-fiber-build`;
  }
  try {
    const native = createRequire(import.meta.url)(file) as Native;
    if (native.reason === undefined) {
      const stackSize = defaultStackSize();
      if (typeof stackSize === 'string') return `${stackSize}.`;
      native.setDefaultStackSize(stackSize);
      native.setErrorFactory((code) => new FiberError(code));
      findAsyncDepth(native);
      const engine = { protocol, place, native, FiberError, pinnedBy: watchPins(native) };
      Object.defineProperty(process, key, { value: engine });
      return engine;
    }
    return `This build of Node (${versions.node}${isMainThread ? '' : ', in a worker'}) was refused: ${native.reason}.`;
  } catch (error) {
    return `The binary could not be loaded: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const loaded = load();

/** Undefined where fibers cannot run. */
export const engine: Engine | undefined = typeof loaded === 'string' ? undefined : loaded;

/** The addon, or undefined where fibers cannot run. */
export const native: Native | undefined = engine?.native;

/** Why there is no addon. */
export const reason: string | undefined = typeof loaded === 'string' ? loaded : undefined;
