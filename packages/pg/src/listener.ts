/** Listeners: notifications of a channel, over losses of the connection. */
import {
  type Greenlet,
  InvalidArgumentError,
  isExit,
  QueueShutDown,
  SimpleQueue,
  sleep,
  spawn,
} from '@tendril/core';
import { escapeIdentifier } from 'pg';
import type { ClientOptions } from './options.js';
import { runQuery } from './query.js';
import { Session } from './session.js';

export interface Notification {
  readonly channel: string;
  /** Empty if NOTIFY gave none. */
  readonly payload: string;
}

/** Longer names are cut off by the server (NAMEDATALEN). */
const longestName = 63;

/** Milliseconds before a new connection is tried: doubled after each failure. */
const firstPause = 100;
const longestPause = 10_000;

/** Notifications that nobody has taken yet, at which the server has to wait. */
const maxUnread = 1000;

/**
 * Iterates `{ channel, payload }`. After a loss it connects again, as often as it takes; what was notified
 * in between is lost, as always with LISTEN. `close()`, the end of a loop, or a kill in it ends it.
 */
export class Listener implements IterableIterator<Notification>, Disposable {
  readonly channel: string;
  readonly #options: ClientOptions;
  readonly #all: Set<Listener>;
  readonly #unread = new SimpleQueue<Notification>();
  #session: Session | undefined;
  #reconnecting: Greenlet | undefined;
  #paused = false;
  #closed = false;

  /** For {@link listen}. */
  constructor(options: ClientOptions, channel: string, all: Set<Listener>) {
    this.channel = channel;
    // It says nothing by itself: only probes find out that its peer is gone.
    this.#options = { ...options, keepAlive: true, pipeline: false };
    this.#all = all;
    all.add(this);
  }

  /** For {@link listen}: parks until the server will notify us. */
  connect(): void {
    const session = new Session(this.#options);
    this.#session = session;
    session.raw.on('notification', ({ channel, payload = '' }) => {
      if (channel === this.channel && session === this.#session) this.#take({ channel, payload });
    });
    try {
      session.connect();
      runQuery(session, `LISTEN ${escapeIdentifier(this.channel)}`);
      if (!session.usable) throw new Error('lost at once');
      session.onLost = () => this.#lost();
    } catch (error) {
      session.end();
      throw error;
    }
  }

  #take(notification: Notification): void {
    if (this.#closed) return;
    this.#unread.putNowait(notification);
    if (this.#unread.size < maxUnread) return;
    this.#paused = true;
    this.#session?.raw.connection.stream.pause();
  }

  #lost(): void {
    if (this.#closed) return;
    this.#reconnecting = spawn(() => {
      for (let pause = firstPause; ; pause = Math.min(2 * pause, longestPause)) {
        sleep(pause * (0.5 + Math.random() / 2));
        try {
          return this.connect();
        } catch (error) {
          if (isExit(error)) throw error;
        }
      }
    });
  }

  /** True while there is a connection that listens; false between a loss and the next connection. */
  get connected(): boolean {
    return this.#session?.usable === true && this.#session.onLost !== undefined;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Parks for the next. */
  next(): IteratorResult<Notification, undefined> {
    try {
      const value = this.#unread.get();
      if (this.#paused && this.#unread.size <= maxUnread / 2) {
        this.#paused = false;
        this.#session?.raw.connection.stream.resume();
      }
      return { done: false, value };
    } catch (error) {
      // A loop that its `next` throws out of does not call `return`.
      if (isExit(error)) this.close();
      if (error instanceof QueueShutDown) return { done: true, value: undefined };
      throw error;
    }
  }

  return(): IteratorResult<Notification, undefined> {
    this.close();
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }

  /** Ends it, from everywhere; whoever waits in it finds it done. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#all.delete(this);
    this.#unread.shutdown({ immediate: true });
    this.#reconnecting?.kill({ block: false });
    this.#session?.end();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Connects, and listens from then on. @throws InvalidArgumentError, and errors of the first connection */
export function listen(options: ClientOptions, channel: string, all: Set<Listener>): Listener {
  if (typeof channel !== 'string' || !channel || Buffer.byteLength(channel) > longestName)
    throw new InvalidArgumentError('channel', `a name of 1 to ${longestName} bytes`, channel);
  const listener = new Listener(options, channel, all);
  try {
    listener.connect();
  } catch (error) {
    listener.close();
    throw error;
  }
  return listener;
}
