/** Poller: parks until one of several sockets is ready. */
import { InvalidArgumentError, park, type TimeoutOption, withTimeout } from '@tendril/core';
import { checkUse, internal, Socket } from './socket.js';

export interface Interest {
  /** Something can be received; default true, unless `writable` is given. */
  readable?: boolean;
  /** Something can be sent. */
  writable?: boolean;
}

/** Takes no message away: what makes a socket readable is what its next receive() returns. */
export class Poller {
  readonly #interests = new Map<Socket, Interest>();

  /** Another call for the same socket replaces what was registered. @throws InvalidArgumentError */
  register(socket: Socket, interest: Interest = {}): void {
    if (!(socket instanceof Socket))
      throw new InvalidArgumentError('socket', 'a socket of this package', socket);
    const { writable = false, readable = !writable } = interest;
    if (!readable && !writable)
      throw new InvalidArgumentError('interest', 'readable, writable, or both', 'neither');
    if (readable && !('receive' in socket))
      throw new InvalidArgumentError('socket', 'one that receives', socket);
    if (writable && !('send' in socket))
      throw new InvalidArgumentError('socket', 'one that sends', socket);
    this.#interests.set(socket, { readable, writable });
  }

  /** Harmless for one that is not registered. */
  unregister(socket: Socket): void {
    this.#interests.delete(socket);
  }

  /**
   * The sockets that are ready, in the order of registration. Parks while there is none, at most
   * `timeout` milliseconds; then the list is empty.
   * @throws SocketClosedError if one is closed, before or meanwhile
   */
  poll(options?: TimeoutOption): Socket[] {
    const ready = this.#ready();
    if (ready.length > 0) return ready;
    const timeout = options?.timeout;
    if (timeout === undefined) return this.#wait();
    return withTimeout(timeout, () => this.#wait(), { value: [] });
  }

  #wait(): Socket[] {
    for (;;) {
      // Another greenlet may have received before this one went on.
      park<void>((resume) => this.#watch(resume));
      const ready = this.#ready();
      if (ready.length > 0) return ready;
    }
  }

  #watch(resume: () => void): () => void {
    const stops: (() => void)[] = [];
    const stop = () => {
      for (const each of stops) each();
    };
    const wake = () => {
      stop();
      resume();
    };
    for (const [socket, { readable, writable }] of this.#interests) {
      const { inbox, outbox } = socket[internal];
      if (readable) stops.push(inbox.watch(wake));
      if (writable) stops.push(outbox.watch(wake));
    }
    return stop;
  }

  #ready(): Socket[] {
    const ready: Socket[] = [];
    for (const [socket, { readable, writable }] of this.#interests) {
      checkUse(socket, 'Poller.poll()');
      if ((readable && socket.readable) || (writable && socket.writable)) ready.push(socket);
    }
    return ready;
  }
}
