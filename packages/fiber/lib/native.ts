/** Loads the addon that fits this Node, or says why none does. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { FiberError, type FiberErrorCode } from './errors.js';
import type { FiberConstructor, FiberStatistics } from './types.js';

export interface Native {
  Fiber: FiberConstructor;
  statistics(): FiberStatistics;
  /** The value AsyncLocalStorage keeps its stores in (Node 24 and later), of whoever runs now. */
  getContextFrame(): unknown;
  setContextFrame(frame: unknown): void;
  setErrorFactory(factory: (code: FiberErrorCode) => Error): void;
  /** Set instead of everything else where the addon found that it cannot run. */
  reason?: string;
}

function isGlibc(): boolean {
  const report = process.report?.getReport() as
    | { header?: { glibcVersionRuntime?: string } }
    | undefined;
  return report?.header?.glibcVersionRuntime !== undefined;
}

function load(): Native | string {
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
      native.setErrorFactory((code) => new FiberError(code));
      return native;
    }
    return `This build of Node (${versions.node}${isMainThread ? '' : ', in a worker'}) was refused: ${native.reason}.`;
  } catch (error) {
    return `The binary could not be loaded: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const loaded = load();

/** The addon, or undefined where fibers cannot run. */
export const native: Native | undefined = typeof loaded === 'string' ? undefined : loaded;

/** Why there is no addon. */
export const reason: string | undefined = typeof loaded === 'string' ? loaded : undefined;
