/** What a greenlet starts and does not wait for at once: it is aborted when the greenlet is killed. */
import { type Greenlet, getCurrent } from '../index.js';
import { type NodeFunction, replace } from './registry.js';

/** Calls `inGreenlet` in greenlets, and the original untouched outside them. */
export function replaceStarting(
  module: string,
  path: string,
  make: (original: NodeFunction) => (greenlet: Greenlet, ...args: unknown[]) => unknown,
): void {
  replace(module, path, (original) => {
    const inGreenlet = make(original);
    return function (this: unknown, ...args: unknown[]): unknown {
      const greenlet = getCurrent();
      return greenlet ? inGreenlet(greenlet, ...args) : Reflect.apply(original, this, args);
    };
  });
}

/**
 * Options with the greenlet's signal beside their own. Options that are refused are returned as they
 * are: to say why is the original's business.
 */
export function withSignal(greenlet: Greenlet, options: unknown = {}): unknown {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return options;
  const { signal } = options as { signal?: unknown };
  if (signal === undefined) return { ...options, signal: greenlet.signal };
  if (!(signal instanceof AbortSignal)) return options;
  return { ...options, signal: AbortSignal.any([signal, greenlet.signal]) };
}

/** The same promise, but what it rejects with after its greenlet was killed is nobody's to handle. */
export function quietly<T>(greenlet: Greenlet, started: PromiseLike<T>): Promise<T> {
  const promise = new Promise<T>((resolve, reject) => {
    started.then(resolve, (error) => {
      if (greenlet.signal.aborted) promise.catch(() => {});
      reject(error);
    });
  });
  return promise;
}
