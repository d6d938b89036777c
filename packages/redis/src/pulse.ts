/** Pulse: finds out that a connection which owes an answer says nothing. */
import { SocketTimeoutError } from 'redis';
import type { Raw } from './raw.js';
import { interrupt } from './stop.js';

/**
 * In so many parts a limit is counted. A process that was stopped, or busy, for longer than the limit
 * counts one of them, and reads what has come meanwhile before the next.
 */
const parts = 8;

/**
 * Node's timer for idle sockets starts anew with everything that is written: on a network that forwards
 * nothing more it never fires as long as somebody asks. Here only what comes counts, and only while an
 * answer is due. A connection that has kept silent for longer than the limit is ended, at the latest
 * after an eighth of it more; node-redis then connects again, if that is what it does.
 */
export class Pulse {
  readonly #raw: Raw;
  readonly #limit: number;
  #timer: NodeJS.Timeout | undefined;
  #heard = false;
  #silent = 0;
  #allowed = parts;

  /** `limit` in milliseconds; none for 0 and Infinity. Its sockets must have the signal of a {@link Stop}. */
  constructor(raw: Raw, limit: number) {
    this.#raw = raw;
    this.#limit = limit;
    if (!(limit > 0 && limit < Number.POSITIVE_INFINITY)) return;
    const { decoder } = raw._getQueue();
    const write = decoder.write;
    decoder.write = (chunk) => {
      this.#heard = true;
      write.call(decoder, chunk);
    };
    raw.on('connect', () => this.#start());
    for (const end of ['end', 'terminated']) raw.on(end, () => this.#end());
    // It became known when it connected, or later.
    if (raw.isOpen) this.#start();
  }

  /**
   * How long the server may keep silent by itself, in milliseconds: beside the limit, for a command that
   * waits for something.
   */
  set waits(ms: number) {
    this.#allowed = parts + Math.ceil((ms / this.#limit) * parts);
  }

  #start(): void {
    this.#silent = 0;
    this.#timer ??= setInterval(() => this.#look(), this.#limit / parts).unref();
  }

  #look(): void {
    if (!this.#raw.isOpen) this.#end();
    if (this.#heard || this.#raw._getQueue().isEmpty()) this.#silent = 0;
    else this.#silent++;
    this.#heard = false;
    if (this.#silent <= this.#allowed) return;
    this.#silent = 0;
    interrupt(this.#raw, new SocketTimeoutError(this.#limit));
  }

  #end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
