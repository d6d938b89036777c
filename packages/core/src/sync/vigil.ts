/** Vigil: finds out that an answer for which somebody waits will never come. */
import type { Greenlet } from '../greenlet/greenlet.js';
import { sleep, spawn } from '../greenlet/spawn.js';
import { hub } from '../hub/hub.js';
import { checkTimeout } from '../hub/timed-wait.js';
import { wasInterrupted } from '../hub/was-interrupted.js';
import { withoutContext } from '../loop/async-context.js';
import type { Timer } from '../loop/clock.js';

/** A connection that a {@link Vigil} looks after. */
export interface Watched {
  /** Somebody waits for the server now. */
  readonly waiting: boolean;
  /** Bytes that have come so far. */
  readonly bytesRead: number | undefined;
  /**
   * Asks the server, on a connection beside; parks, with a limit of its own. False if the server gives no sign of
   * life, or has nothing to do for this connection; true if it works, or that cannot be known. An error counts as
   * true unless it is one of a network that leads nowhere, such as ETIMEDOUT: it has come from a host that is there.
   */
  isWorkedFor(): boolean;
  /** The answer will not come. Called once, outside of whoever waits. */
  silent(): void;
}

/** A network that says so itself. */
const unreachable = new Set(['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN']);

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
  #timer: Timer | undefined;
  #asking: Greenlet | undefined;
  #seen: number | undefined;
  #over = false;

  /** `interval`: milliseconds of silence before it asks. @throws InvalidArgumentError */
  constructor(watched: Watched, interval: number) {
    checkTimeout(interval, 'interval');
    this.#watched = watched;
    this.#interval = interval;
  }

  /** Somebody waits from now on. Costs nothing while it looks anyway. Works from everywhere. */
  begin(): void {
    if (this.#timer === undefined && !this.#over) withoutContext(() => this.#arm());
  }

  #arm(): void {
    this.#seen = this.#watched.bytesRead;
    this.#timer = hub.clock.setTimer(this.#interval, () => this.#look());
  }

  #look(): void {
    if (!this.#watched.waiting) this.#timer = undefined;
    else if (this.#watched.bytesRead !== this.#seen) this.#arm();
    else this.#asking = spawn(() => this.#ask());
  }

  #ask(): void {
    let silent = !this.#isWorkedFor();
    if (silent) {
      sleep(Math.min(onItsWay, this.#interval));
      silent = this.#watched.waiting && this.#watched.bytesRead === this.#seen;
    }
    this.#asking = undefined;
    if (silent) this.#watched.silent();
    else this.#arm();
  }

  #isWorkedFor(): boolean {
    try {
      return this.#watched.isWorkedFor();
    } catch (error) {
      if (wasInterrupted(error)) throw error;
      return !unreachable.has((error as NodeJS.ErrnoException | null)?.code ?? '');
    }
  }

  /** Looks no more: the connection has ended. Works from everywhere. */
  end(): void {
    this.#over = true;
    this.#timer?.cancel();
    this.#asking?.kill({ block: false });
  }
}
