/**
 * Stackful coroutines on stock Node.js.
 *
 * Importing this package always works. Where fibers cannot run, `support` says why, and the first
 * `new Fiber` throws ERR_FIBER_UNSUPPORTED with the same reason.
 * @module
 */
import { FiberError as OwnFiberError } from './errors.js';
import { engine, native, reason } from './native.js';
import type {
  FiberConstructor,
  Fiber as FiberInstance,
  FiberStatistics,
  FiberSupport,
} from './types.js';

export type { FiberErrorCode } from './errors.js';
export type { FiberConstructor, FiberOptions, FiberState, FiberStatistics } from './types.js';

/** Of the copy of this package that runs the fibers of this thread. */
export const FiberError: typeof OwnFiberError = engine?.FiberError ?? OwnFiberError;
export type FiberError = OwnFiberError;

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
 * Why who runs now cannot be suspended, though no callback scope is open; undefined if nothing is in the way. It
 * is inside code of node:vm that runs under a `timeout` or until SIGINT (ERR_FIBER_PINNED), or inside a call of
 * a native addon that another fiber is parked in (ERR_FIBER_ADDON_SCOPE).
 */
export const pinnedBy: () => string | undefined = engine?.pinnedBy ?? (() => undefined);

/**
 * The async context of whoever runs now, as one opaque value, on Node versions where
 * AsyncLocalStorage lives in V8 (24 and later); undefined elsewhere. Each fiber keeps its own across
 * suspensions and starts with its creator's. For schedulers that run several tasks on one fiber.
 */
export const getContextFrame: () => unknown = native?.getContextFrame ?? (() => undefined);
export const setContextFrame: (frame: unknown) => void = native?.setContextFrame ?? (() => {});
