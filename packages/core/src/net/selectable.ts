/** What `select` can wait for. */

export interface Readable {
  /** True when a read would not park. */
  readonly readable: boolean;
  /** Calls `callback` once, when readable. Returns how to call it off. */
  onceReadable(callback: () => void): () => void;
}

export interface Writable {
  /** True when a write would not park. */
  readonly writable: boolean;
  /** Calls `callback` once, when writable. Returns how to call it off. */
  onceWritable(callback: () => void): () => void;
}

/** Who is to be told: one callback as a rule, seldom more. */
export type Callbacks = (() => void) | (() => void)[] | undefined;

export function withCallback(callbacks: Callbacks, callback: () => void): Callbacks {
  return callbacks ? [callbacks, callback].flat() : callback;
}

export function withoutCallback(callbacks: Callbacks, callback: () => void): Callbacks {
  if (Array.isArray(callbacks)) return callbacks.filter((other) => other !== callback);
  return callbacks === callback ? undefined : callbacks;
}

export function callAll(callbacks: Callbacks): void {
  if (typeof callbacks === 'function') callbacks();
  else if (callbacks) for (const callback of callbacks) callback();
}
