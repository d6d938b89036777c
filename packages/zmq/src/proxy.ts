/** proxy() and Proxy: carry messages between two sockets. */
import {
  ConcurrentUseError,
  Event,
  type Greenlet,
  InvalidArgumentError,
  joinall,
  killall,
  spawn,
} from '@tendril/core';
import type { Readable, Writable } from './class.js';
import { internal, Socket } from './socket.js';

type Parts = Buffer[];

/**
 * Carries messages from each of two sockets to the other, as far as they receive and send, and parks
 * until one of the sockets is closed. A kill or a timeout of the greenlet ends it too; the sockets stay
 * open. Nothing is lost: a message that could not be passed on is received again by whoever comes next.
 *
 * @param capture gets a copy of every message
 */
export function proxy(front: Socket, back: Socket, capture?: Writable<Parts> & Socket): void {
  carryBoth(front, back, capture);
}

function carryBoth(
  front: Socket,
  back: Socket,
  capture?: Writable<Parts> & Socket,
  going?: Event,
): void {
  const directions = [
    [front, back],
    [back, front],
  ] as const;
  const possible = directions.filter(([from, to]) => 'receive' in from && 'send' in to);
  if (possible.length === 0 || !(front instanceof Socket && back instanceof Socket))
    throw new InvalidArgumentError('back', 'a socket that can talk to `front`', back);
  const carriers = possible.map(([from, to]) =>
    spawn(carry, from as Socket & Readable<Parts>, to as Socket & Writable<Parts>, capture, going),
  );
  try {
    const [first] = joinall(carriers, { count: 1 }) as Greenlet<void>[];
    first?.get();
  } finally {
    killall(carriers, { block: false });
  }
}

/**
 * As the driver's class, with a `run()` that parks and no thread of libuv's pool. It owns its sockets: when
 * `run()` has ended, for whatever reason, they are closed.
 */
// biome-ignore lint/suspicious/noShadowRestrictedNames: the driver's name for it
export class Proxy<F extends Socket = Socket, B extends Socket = Socket> {
  readonly frontEnd: F;
  readonly backEnd: B;
  readonly #going = new Event();
  #running = false;

  constructor(frontEnd: F, backEnd: B) {
    this.frontEnd = frontEnd;
    this.backEnd = backEnd;
    this.#going.set();
  }

  /**
   * Carries messages in both directions, and parks until {@link terminate}, or until one of the sockets is
   * closed. Bind or connect both before.
   * @throws ConcurrentUseError if it runs already, InvalidArgumentError for sockets that cannot talk
   */
  run(): void {
    if (this.#running) throw new ConcurrentUseError('This proxy');
    this.#running = true;
    try {
      carryBoth(this.frontEnd, this.backEnd, undefined, this.#going);
    } finally {
      this.#running = false;
      this.terminate();
    }
  }

  /** Carries nothing more, until {@link resume}: messages wait in their sockets. */
  pause(): void {
    this.#going.clear();
  }
  resume(): void {
    this.#going.set();
  }

  /** Closes both sockets, and so ends `run()`. */
  terminate(): void {
    this.frontEnd.close();
    this.backEnd.close();
    this.resume();
  }
}

/** One direction. Ends when one of its sockets is closed. */
function carry(
  from: Socket & Readable<Parts>,
  to: Socket & Writable<Parts>,
  capture: (Socket & Writable<Parts>) | undefined,
  going: Event | undefined,
): void {
  for (;;) {
    let message: Parts | undefined;
    try {
      message = from.receive();
      going?.wait();
      to.send(message);
      const copy = message;
      message = undefined;
      capture?.send(copy);
    } catch (error) {
      if (message && !from.closed) from[internal].inbox.putBack(message);
      if (from.closed || to.closed || capture?.closed) return;
      throw error;
    }
  }
}
