/** Observer: what happens to a socket's connections, by calls that park, or by listeners. */
import { EventEmitter } from 'node:events';
import {
  getCurrent,
  NotInGreenletError,
  SocketClosedError,
  type TimeoutOption,
  UnsupportedError,
  withTimeout,
} from '@tendril/core';
import type { Event, EventOfType, EventType, Observer as RawObserver } from 'zeromq';
import { Inbox } from './inbox.js';
import { mustAsk } from './ticker.js';

/**
 * From `socket.events`. Events that nobody asks for wait in libzmq. The end of the socket is an event
 * too, `end`, and the last.
 *
 * The driver waits for the next event until the socket or the observer is closed, and holds the process
 * as long, once somebody has asked for one.
 */
export class Observer implements Iterable<Event>, Disposable {
  readonly #raw: RawObserver;
  readonly #inbox: Inbox<Event>;
  #emitter: EventEmitter | undefined;
  #ended = false;

  /** For Socket. */
  constructor(raw: RawObserver) {
    this.#raw = raw;
    // The driver cannot be asked whether there is one.
    this.#inbox = new Inbox({
      receive: () => raw.receive(),
      readable: false,
      ahead: () => 0,
      setWaiting: () => {},
    });
  }

  // The driver would abort the process if the thread ended meanwhile: see ticker.ts.
  #check(): void {
    if (mustAsk) throw new UnsupportedError('Waiting for events of a socket', 'the main thread');
  }

  /**
   * The next event. Parks while there is none.
   * @throws SocketClosedError after the last, Timeout, UnsupportedError in a worker thread
   */
  receive(options?: TimeoutOption): Event {
    this.#check();
    if (!getCurrent()) throw new NotInGreenletError('Observer.receive()');
    if (this.#ended || this.closed) throw new SocketClosedError('This observer');
    const event = this.#inbox.take() ?? this.#wait(options?.timeout);
    if (event.type === 'end') this.close();
    return event;
  }

  #wait(timeout: number | undefined): Event {
    if (timeout === undefined) return this.#inbox.wait();
    return withTimeout(timeout, () => this.#inbox.wait());
  }

  /** Events up to the last; ends when the observer is closed. */
  *[Symbol.iterator](): IterableIterator<Event> {
    while (!this.closed) {
      try {
        yield this.receive();
      } catch (error) {
        if (this.#ended && error instanceof SocketClosedError) return;
        throw error;
      }
    }
  }

  /** Calls `listener` for events of a type; not to be mixed with receive(), which would take them away. @throws UnsupportedError */
  on<E extends EventType>(type: E, listener: (data: EventOfType<E>) => void): this {
    this.#check();
    if (!this.#emitter) {
      this.#emitter = new EventEmitter();
      this.#emit(this.#emitter);
    }
    this.#emitter.on(type, listener);
    return this;
  }
  off<E extends EventType>(type: E, listener: (data: EventOfType<E>) => void): this {
    this.#emitter?.off(type, listener);
    return this;
  }

  #emit(emitter: EventEmitter): void {
    this.#inbox.watch(() => {
      for (let event = this.#inbox.take(); event; event = this.#inbox.take()) {
        emitter.emit(event.type, event);
        if (event.type === 'end') this.close();
      }
      if (!this.closed) this.#emit(emitter);
    });
  }

  /** Those who wait get a SocketClosedError. */
  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#inbox.close(new SocketClosedError('This observer'));
    this.#raw.close();
  }
  [Symbol.dispose](): void {
    this.close();
  }

  get closed(): boolean {
    return this.#ended || this.#raw.closed;
  }
}
