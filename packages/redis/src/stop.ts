/** Stop: ends the sockets of one of node-redis's clients, whatever they are doing. */
import type { Raw } from './raw.js';

/** A socket listens twice: as a stream, and while it connects. */
const listenersOfTwoSockets = 4;

type Listener = Parameters<EventTarget['addEventListener']>[1];

/**
 * What node:net needs of an AbortSignal, for sockets that come one after the other. Node never takes back
 * the listener with which a socket connects, which would hold every socket of every attempt for as long
 * as a server is away: hence those of the latest sockets only.
 */
class SocketSignal extends EventTarget {
  aborted = false;
  reason: unknown;
  readonly #listeners: Listener[] = [];

  override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
    super.addEventListener(...args);
    this.#listeners.push(args[1]);
    if (this.#listeners.length <= listenersOfTwoSockets) return;
    const oldest = this.#listeners.shift();
    if (oldest) super.removeEventListener(args[0], oldest);
  }

  override removeEventListener(...args: Parameters<EventTarget['removeEventListener']>): void {
    super.removeEventListener(...args);
    const at = this.#listeners.indexOf(args[1]);
    if (at >= 0) this.#listeners.splice(at, 1);
  }

  /** Ends those that there are now. */
  tell(reason: unknown): void {
    this.reason = reason;
    this.dispatchEvent(new globalThis.Event('abort'));
    this.#listeners.length = 0;
  }
}

/** An AbortController for the sockets of one client. */
export class Stop {
  readonly #signal = new SocketSignal();

  /** For the options of its sockets. */
  get signal(): AbortSignal {
    return this.#signal as unknown as AbortSignal;
  }

  abort(): void {
    if (this.#signal.aborted) return;
    this.#signal.aborted = true;
    this.#signal.tell(new DOMException('The connection was given up', 'AbortError'));
  }
}

/**
 * Options of sockets from which each client that is made with them takes a signal of its own: for those
 * that node-redis makes by itself, which it does by copying these options.
 */
export function withSignals<T extends object>(socket: T): T {
  const get = () => new Stop().signal;
  return Object.defineProperty({ ...socket }, 'signal', { enumerable: true, get });
}

/** Ends the socket that `raw` has now, as if it had failed with `reason`: see {@link reasonOf}. */
export function interrupt(raw: Raw, reason: Error): void {
  const signal: unknown = raw.options.socket?.signal;
  if (signal instanceof SocketSignal) signal.tell(reason);
}

/** What an error of a socket is about: Node's AbortError has it as its cause. */
export function reasonOf(error: unknown): unknown {
  if (!(error instanceof Error && error.name === 'AbortError')) return error;
  return error.cause instanceof Error && !(error.cause instanceof DOMException)
    ? error.cause
    : error;
}
