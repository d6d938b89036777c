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
