/** One listener for all that watch one AbortSignal: Node 20 takes more than ten for a leak. */

class Watch {
  readonly #signal: AbortSignal;
  readonly #all = new Set<() => void>();
  readonly #listener = () => {
    for (const abort of this.#all) abort();
  };

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#listener, { once: true });
  }

  add(abort: () => void): void {
    this.#all.add(abort);
  }

  remove(abort: () => void): void {
    this.#all.delete(abort);
    if (this.#all.size > 0 || watches.get(this.#signal) !== this) return;
    watches.delete(this.#signal);
    this.#signal.removeEventListener('abort', this.#listener);
  }
}

const watches = new WeakMap<AbortSignal, Watch>();

/**
 * Calls `abort` when `signal` aborts, in the order in which they asked; it must not throw. Returns how to
 * stop: a signal that nobody watches any more has no listener.
 */
export function watchAbort(signal: AbortSignal, abort: () => void): () => void {
  let watch = watches.get(signal);
  if (!watch) {
    watch = new Watch(signal);
    watches.set(signal, watch);
  }
  const joined = watch;
  joined.add(abort);
  return () => joined.remove(abort);
}
