/** Stop: ends the sockets of one of node-redis's clients, whatever they are doing. */

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
    this.#signal.reason = new DOMException('The connection was given up', 'AbortError');
    this.#signal.dispatchEvent(new globalThis.Event('abort'));
  }
}
