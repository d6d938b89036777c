/** Vigil: finds out that an answer for which somebody waits will never come. */
import { type Greenlet, sleep, spawn, withoutContext } from '@tendril/core';
import type { Finding } from './inquiry.js';

/** What is watched. */
export interface Watched {
  /** Somebody waits for an answer. */
  readonly waiting: boolean;
  /** Bytes that have come so far. */
  readonly bytesRead: number | undefined;
  /** Asks the server about it. Parks. */
  inquire(): Finding;
  /** The answer will not come. */
  silent(): void;
}

/** Milliseconds, at most, for an answer that was on its way when the server was asked. */
const onItsWay = 1000;

/**
 * TCP's keep-alive finds a dead connection only while nothing is sent: a query that is never acknowledged is
 * sent again and again instead, for a quarter of an hour (tcp(7), tcp_retries2), and Node has no
 * TCP_USER_TIMEOUT. So when nothing has come for a while for somebody who waits, the server is asked whether
 * it works on it. A query may take as long as it likes.
 */
export class Vigil {
  readonly #watched: Watched;
  readonly #interval: number;
  #timer: NodeJS.Timeout | undefined;
  #asking: Greenlet | undefined;
  #seen: number | undefined;

  /** `interval`: milliseconds of silence before it asks. */
  constructor(watched: Watched, interval: number) {
    this.#watched = watched;
    this.#interval = interval;
  }

  /** Somebody waits from now on. Costs nothing while it looks anyway. */
  begin(): void {
    if (this.#timer === undefined) withoutContext(() => this.#arm());
  }

  #arm(): void {
    this.#seen = this.#watched.bytesRead;
    this.#timer = setTimeout(() => this.#look(), this.#interval);
    this.#timer.unref();
  }

  #look(): void {
    if (!this.#watched.waiting) this.#timer = undefined;
    else if (this.#watched.bytesRead !== this.#seen) this.#arm();
    else this.#asking = spawn(() => this.#ask());
  }

  #ask(): void {
    let silent = this.#watched.inquire() !== 'well';
    if (silent) {
      sleep(Math.min(onItsWay, this.#interval));
      silent = this.#watched.waiting && this.#watched.bytesRead === this.#seen;
    }
    this.#asking = undefined;
    if (silent) this.#watched.silent();
    else this.#arm();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#asking?.kill({ block: false });
  }
}
