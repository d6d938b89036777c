/**
 * Stackful coroutines on stock Node.js.
 *
 * Importing this package always works. Where fibers cannot run, `support` says why, and the first
 * `new Fiber` throws ERR_FIBER_UNSUPPORTED with the same reason.
 * @module
 */
import { FiberError } from './errors.js';
import { native, reason } from './native.js';
import type {
  FiberConstructor,
  Fiber as FiberInstance,
  FiberStatistics,
  FiberSupport,
} from './types.js';

export { FiberError, type FiberErrorCode } from './errors.js';
export type { FiberConstructor, FiberOptions, FiberState, FiberStatistics } from './types.js';

class UnsupportedFiber {
  static readonly current = undefined;
  static suspend(): never {
    throw new FiberError('ERR_NOT_IN_FIBER');
  }
  constructor() {
    throw new FiberError('ERR_FIBER_UNSUPPORTED', reason);
  }
}

/** See {@link FiberConstructor}. */
export const Fiber: FiberConstructor =
  native?.Fiber ?? (UnsupportedFiber as unknown as FiberConstructor);
export type Fiber<R = unknown> = FiberInstance<R>;

/** Whether fibers run here, by which engine, and if not, why. */
export const support: FiberSupport = native
  ? { supported: true, engine: 'stack' }
  : { supported: false, engine: 'none', ...(reason === undefined ? {} : { reason }) };

/** Counts for this thread. */
export function statistics(): FiberStatistics {
  return native?.statistics() ?? { live: 0, pooled: 0, created: 0, stackBytes: 0 };
}

/**
 * The async context of whoever runs now, as one opaque value, on Node versions where
 * AsyncLocalStorage lives in V8 (24 and later); undefined elsewhere. Each fiber keeps its own across
 * suspensions and starts with its creator's. For schedulers that run several tasks on one fiber.
 */
export const getContextFrame: () => unknown = native?.getContextFrame ?? (() => undefined);
export const setContextFrame: (frame: unknown) => void = native?.setContextFrame ?? (() => {});
