/** select() and Poller: waiting for the first of several sockets, as select(2) and gevent.select do. */
import { InvalidArgumentError } from '../errors.js';
import { hub } from '../hub/hub.js';
import { checkTimeout, expired, type TimeoutOption, waitAtMost } from '../hub/timed-wait.js';
import { Waiter } from '../hub/waiter.js';
import type { Readable, Writable } from './selectable.js';

export type { Readable, Writable } from './selectable.js';

export interface Selected<R, W> {
  readable: R[];
  writable: W[];
}

/**
 * Parks until at least one of `read` has something to read, or one of `write` takes something. Returns
 * all of those that are ready then; both lists are empty when the time is up, and only then. A Listener has
 * something to read when a connection waits to be accepted, a DatagramSocket when a datagram does. A socket
 * that was closed, by whomever, is ready: the call that follows says so (where gevent throws EBADF).
 */
export function select<R extends Readable, W extends Writable = never>(
  read: Iterable<R>,
  write: Iterable<W> = [],
  options?: TimeoutOption,
): Selected<R, W> {
  checkTimeout(options?.timeout);
  const readers = [...read];
  const writers = [...write];
  for (const one of readers)
    if (typeof one?.onceReadable !== 'function')
      throw new InvalidArgumentError('read', 'sockets', one);
  for (const one of writers)
    if (typeof one?.onceWritable !== 'function')
      throw new InvalidArgumentError('write', 'sockets', one);
  const deadline = options?.timeout === undefined ? undefined : hub.clock.now() + options.timeout;
  for (;;) {
    const waiter = new Waiter<true | typeof expired>('select()');
    const readable = readers.filter((one) => one.readable);
    const writable = writers.filter((one) => one.writable);
    if (readable.length + writable.length > 0) return { readable, writable };
    const left = deadline === undefined ? undefined : Math.max(0, deadline - hub.clock.now());
    // What was ready may be so no longer: another greenlet was quicker, and the time is not up.
    if (!awaitOne(waiter, readers, writers, left)) return { readable, writable };
  }
}

/** False when the time is up. */
function awaitOne(
  waiter: Waiter<true | typeof expired>,
  readers: Readable[],
  writers: Writable[],
  timeout: number | undefined,
): boolean {
  const wake = () => void waiter.wake(true);
  const stops = [
    ...readers.map((one) => one.onceReadable(wake)),
    ...writers.map((one) => one.onceWritable(wake)),
  ];
  try {
    return waitAtMost<true>(waiter, timeout) !== expired;
  } finally {
    for (const stop of stops) stop();
  }
}

/** What a Poller waits for. */
export type Interest = 'read' | 'write' | 'both';

const interests = new Set<unknown>(['read', 'write', 'both']);

/** A set of sockets to wait for again and again (select.poll). */
export class Poller<S extends Readable> {
  readonly #interests = new Map<S, Interest>();

  /**
   * Another call for the same socket replaces what was registered.
   * @throws InvalidArgumentError for what cannot be waited for, such as a Listener that should be writable
   */
  register<T extends S>(
    socket: T,
    interest: T extends Writable ? Interest : 'read' = 'read' as never,
  ): void {
    const wanted: Interest = interest;
    if (!interests.has(wanted))
      throw new InvalidArgumentError('interest', '"read", "write" or "both"', interest);
    const { onceReadable, onceWritable } = (socket ?? {}) as Partial<Readable & Writable>;
    if (typeof onceReadable !== 'function')
      throw new InvalidArgumentError('socket', 'a socket', socket);
    if (wanted !== 'read' && typeof onceWritable !== 'function')
      throw new InvalidArgumentError('interest', '"read" for a socket that sends nothing', wanted);
    this.#interests.set(socket, wanted);
  }

  unregister(socket: S): void {
    this.#interests.delete(socket);
  }

  get size(): number {
    return this.#interests.size;
  }

  /** Parks until something is ready; empty when the time is up. */
  poll(options?: TimeoutOption): { socket: S; readable: boolean; writable: boolean }[] {
    const wanting = (what: Interest) =>
      [...this.#interests].filter(([, i]) => i === what || i === 'both').map(([socket]) => socket);
    const writers = wanting('write') as (S & Writable)[];
    const { readable, writable } = select(wanting('read'), writers, options);
    return [...new Set([...readable, ...writable])].map((socket) => ({
      socket,
      readable: readable.includes(socket),
      writable: writable.includes(socket as S & Writable),
    }));
  }
}
