/** proxy(): carries messages between two sockets. */
import { type Greenlet, InvalidArgumentError, joinall, killall, spawn } from '@tendril/core';
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
  const directions = [
    [front, back],
    [back, front],
  ] as const;
  const possible = directions.filter(([from, to]) => 'receive' in from && 'send' in to);
  if (possible.length === 0 || !(front instanceof Socket && back instanceof Socket))
    throw new InvalidArgumentError('back', 'a socket that can talk to `front`', back);
  const carriers = possible.map(([from, to]) =>
    spawn(carry, from as Socket & Readable<Parts>, to as Socket & Writable<Parts>, capture),
  );
  try {
    const [first] = joinall(carriers, { count: 1 }) as Greenlet<void>[];
    first?.get();
  } finally {
    killall(carriers, { block: false });
  }
}

/** One direction. Ends when one of its sockets is closed. */
function carry(
  from: Socket & Readable<Parts>,
  to: Socket & Writable<Parts>,
  capture: (Socket & Writable<Parts>) | undefined,
): void {
  for (;;) {
    let message: Parts | undefined;
    try {
      message = from.receive();
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
