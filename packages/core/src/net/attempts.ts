/** Several attempts to connect, beside each other: happy eyeballs (RFC 8305, sections 4 and 5). */
import type { Socket as NetSocket } from 'node:net';
import { TendrilError } from '../errors.js';
import { hub } from '../hub/hub.js';
import type { Timer } from '../loop/clock.js';

export interface HostAddress {
  address: string;
  family: number;
}

/** None of several addresses could be connected to. `errors` has what each of them said. */
export class ConnectError extends TendrilError {
  readonly syscall = 'connect';
  readonly errors: readonly NodeJS.ErrnoException[];

  /** `code` is that of the best address, as in Node (ECONNREFUSED, ETIMEDOUT, EMFILE and so on). */
  constructor(where: string, errors: readonly NodeJS.ErrnoException[]) {
    const all = errors.map(({ message }) => message).join('; ');
    super(String(errors[0]?.code), `None of the addresses of ${where} could be reached: ${all}`);
    this.errors = errors;
  }
}

/** The families in turn, each in its order, beginning with that of the first (RFC 8305, section 4). */
export function interleave(addresses: readonly HostAddress[]): HostAddress[] {
  const first = addresses[0]?.family;
  const same = addresses.filter(({ family }) => family === first);
  const others = addresses.filter(({ family }) => family !== first);
  const found: HostAddress[] = [];
  for (let i = 0; i < Math.max(same.length, others.length); i++)
    for (const one of [same[i], others[i]]) if (one) found.push(one);
  return found;
}

/**
 * Opens one after the other, each `delay` milliseconds after the one before or as soon as that has
 * failed, and none is given up because another has begun. The first that stands is given to `done`, and
 * the others are closed; when all have failed it gets their errors, in order.
 */
export class Attempts {
  readonly #openers: readonly (() => NetSocket)[];
  readonly #delay: number;
  readonly #done: (stream: NetSocket | undefined, errors: Error[]) => void;
  readonly #open = new Set<NetSocket>();
  readonly #errors: Error[] = [];
  #next = 0;
  #failures = 0;
  #timer: Timer | undefined;

  constructor(
    openers: readonly (() => NetSocket)[],
    delay: number,
    done: (stream: NetSocket | undefined, errors: Error[]) => void,
  ) {
    this.#openers = openers;
    this.#delay = delay;
    this.#done = done;
  }

  start(): void {
    this.#timer?.cancel();
    const at = this.#next++;
    const opener = this.#openers[at];
    if (!opener) return;
    let stream: NetSocket;
    try {
      stream = opener();
    } catch (error) {
      this.#failed(at, error as Error);
      return;
    }
    this.#open.add(stream);
    const failed = (error: Error) => {
      this.#open.delete(stream);
      this.#failed(at, error);
    };
    const stands = () => {
      this.#open.delete(stream);
      this.close();
      // What comes from now on is for the owner, who has to listen before he returns.
      this.#done(stream, []);
      stream.off('error', failed);
    };
    stream.once('error', failed).once('connect', stands);
    if (this.#next < this.#openers.length)
      this.#timer = hub.clock.setTimer(this.#delay, () => this.start());
  }

  #failed(at: number, error: Error): void {
    this.#errors[at] = error;
    if (++this.#failures === this.#openers.length) this.#done(undefined, this.#errors);
    else this.start();
  }

  /** Gives up all that are under way. */
  close(): void {
    this.#timer?.cancel();
    this.#next = this.#openers.length;
    for (const stream of this.#open)
      stream
        .removeAllListeners('connect')
        .removeAllListeners('error')
        .on('error', () => {})
        .destroy();
    this.#open.clear();
  }
}
