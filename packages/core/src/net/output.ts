/** What a Socket has been given to send, and the greenlets that wait for it to leave. */
import type { Duplex } from 'node:stream';
import { SocketClosedError } from '../errors.js';
import { type expired, waitAtMost } from '../hub/timed-wait.js';
import { Waiter } from '../hub/waiter.js';

interface Send {
  /** Its place in the order of all writes. */
  readonly place: number;
  readonly waiter: Waiter<true | typeof expired>;
}

/**
 * A stream calls back once for each write, in order, when the kernel has it, or when it never will.
 * That alone says that bytes have left: `drain` does not come after an `end()`, and comes not at all for
 * what was destroyed.
 */
export class Output {
  readonly #stream: Duplex;
  #written = 0;
  #taken = 0;
  /** In the order of their places. */
  readonly #parked: Send[] = [];

  constructor(stream: Duplex) {
    this.#stream = stream;
  }

  /** True while somebody waits. */
  get busy(): boolean {
    return this.#parked.length > 0;
  }

  /** True when all of it has left at once, as it does while the peer keeps up. */
  write(data: string | Uint8Array): boolean {
    const stream = this.#stream;
    this.#written++;
    stream.write(data, this.#onTaken);
    return stream.writableLength === 0 && !stream.errored;
  }

  /**
   * Parks until the last {@link write} has left. `abort` runs when the time is up, or at a kill.
   * @throws SocketClosedError, Node's errors with their codes
   */
  wait(timeout: number | undefined, abort: () => void): true | typeof expired {
    const waiter = new Waiter<true | typeof expired>('sendAll()');
    const send = { place: this.#written, waiter };
    this.#parked.push(send);
    return waitAtMost<true>(waiter, timeout, () => {
      const at = this.#parked.indexOf(send);
      if (at >= 0) this.#parked.splice(at, 1);
      abort();
    });
  }

  readonly #onTaken = (error?: (Error & { code?: string }) | null): void => {
    this.#taken++;
    if (this.#parked.length === 0) return;
    // A write that was under way when the stream was destroyed calls back without an error.
    if (error || this.#stream.destroyed) {
      const known = error && error.code !== 'ERR_STREAM_DESTROYED' ? error : undefined;
      this.fail(this.#stream.errored ?? known);
      return;
    }
    for (
      let first = this.#parked[0];
      first && first.place <= this.#taken;
      first = this.#parked[0]
    ) {
      this.#parked.shift();
      first.waiter.wake(true);
    }
  };

  /** Nothing more leaves: all who wait are told why. */
  fail(reason: Error | undefined): void {
    for (const { waiter } of this.#parked.splice(0))
      waiter.fail(reason ?? new SocketClosedError('This socket'));
  }
}
