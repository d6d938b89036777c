/** select() and Poller: waiting for the first of several sockets, as select(2) and gevent.select do. */
import { InvalidArgumentError } from '../errors.js';
import { checkTimeout, type expired, type TimeoutOption, waitAtMost } from '../hub/timed-wait.js';
import { Waiter } from '../hub/waiter.js';
import type { Readable, Writable } from './selectable.js';

export type { Readable, Writable } from './selectable.js';

export interface Selected<R, W> {
  readable: R[];
  writable: W[];
}

/**
 * Parks until at least one of `read` has something to read, or one of `write` takes something. Returns
 * all of those that are ready then; both lists are empty when the time is up.
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
  const waiter = new Waiter<true | typeof expired>('select()');
  const ready = () => ({
    readable: readers.filter((one) => one.readable),
    writable: writers.filter((one) => one.writable),
  });
  const now = ready();
  if (now.readable.length + now.writable.length > 0) return now;
  const wake = () => void waiter.wake(true);
  const stops = [
    ...readers.map((one) => one.onceReadable(wake)),
    ...writers.map((one) => one.onceWritable(wake)),
  ];
  try {
    waitAtMost<true>(waiter, options?.timeout);
  } finally {
    for (const stop of stops) stop();
  }
  return ready();
}

/** What a Poller waits for. */
export type Interest = 'read' | 'write' | 'both';

/** A set of sockets to wait for again and again (select.poll). */
export class Poller<S extends Readable & Writable> {
  readonly #interests = new Map<S, Interest>();

  register(socket: S, interest: Interest = 'read'): void {
    this.#interests.set(socket, interest);
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
    const { readable, writable } = select(wanting('read'), wanting('write'), options);
    return [...new Set([...readable, ...writable])].map((socket) => ({
      socket,
      readable: readable.includes(socket),
      writable: writable.includes(socket),
    }));
  }
}
