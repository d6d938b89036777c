/**
 * Inbox: what comes in, handed to those who wait for it, in order.
 *
 * The driver allows one receive at a time, and takes none back. So there is at most one, whoever asks
 * for it; its message goes to whoever waits longest, and is kept if nobody does.
 */
import { park, type Resume } from '@tendril/core';

/** The driver's side: its receive, and whether that would give something at once. */
export interface Source<T> {
  receive(): Promise<T>;
  readonly readable: boolean;
}

export class Inbox<T> {
  readonly #source: Source<T>;
  /** How many messages may be kept that nobody has asked for yet. */
  readonly #ahead: () => number;
  readonly #messages: T[] = [];
  readonly #receivers = new Set<Resume<T>>();
  /** Pollers: called when there is something, and dropped. */
  readonly #watchers = new Set<() => void>();
  #reading = false;
  #closed = false;

  constructor(source: Source<T>, ahead: () => number) {
    this.#source = source;
    this.#ahead = ahead;
  }

  /** A message lies here, to be had without waiting. */
  get ready(): boolean {
    return this.#messages.length > 0;
  }
  /** The driver is waiting for a message. */
  get reading(): boolean {
    return this.#reading;
  }

  /** The oldest message, if there is one. */
  take(): T | undefined {
    return this.#messages.shift();
  }

  /** Parks for the next message. A kill or a timeout leaves it to the next in line. */
  wait(): T {
    return park<T>((resume) => {
      this.#receivers.add(resume);
      this.#read();
      return () => this.#receivers.delete(resume);
    });
  }

  /** Gives a message back that was taken and not used: it is the next one again. */
  putBack(message: T): void {
    const [receiver] = this.#receivers;
    if (!receiver) this.#messages.unshift(message);
    else {
      this.#receivers.delete(receiver);
      receiver(message);
    }
  }

  /** Calls `fn` once, when a message lies here or the inbox was closed. Returns how to stop that. */
  watch(fn: () => void): () => void {
    this.#watchers.add(fn);
    this.#read();
    return () => this.#watchers.delete(fn);
  }

  /** Drops what lies here. */
  clear(): void {
    this.#messages.length = 0;
  }

  /** Wakes all who wait with `error`. What lies here is dropped, what still comes too. */
  close(error: Error): void {
    this.#closed = true;
    this.clear();
    for (const receiver of this.#receivers) receiver.error(error);
    this.#receivers.clear();
    this.#wakeWatchers();
  }

  #read(): void {
    if (this.#reading || this.#closed) return;
    this.#reading = true;
    try {
      this.#source.receive().then(this.#got, this.#failed);
    } catch (error) {
      this.#failed(error);
    }
  }

  readonly #got = (message: T): void => {
    this.#reading = false;
    if (this.#closed) return;
    const [receiver] = this.#receivers;
    if (receiver) {
      this.#receivers.delete(receiver);
      receiver(message);
    } else {
      this.#messages.push(message);
      this.#wakeWatchers();
    }
    // A little is read ahead: each turn of the event loop then brings many messages, and not one.
    if (this.#receivers.size > 0) this.#read();
    else if (this.#messages.length < this.#ahead() && this.#source.readable) this.#read();
  };

  readonly #failed = (error: unknown): void => {
    this.#reading = false;
    if (this.#closed) return;
    const [receiver] = this.#receivers;
    if ((error as { code?: string }).code === 'EAGAIN') {
      // The driver's wait is over, ours is not; if nobody wants a message any more, it ends here.
      if (receiver || this.#watchers.size > 0) this.#read();
    } else if (receiver) {
      this.#receivers.delete(receiver);
      receiver.error(error);
      if (this.#receivers.size > 0) this.#read();
    } else {
      this.#wakeWatchers();
    }
  };

  #wakeWatchers(): void {
    if (this.#watchers.size === 0) return;
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const watcher of watchers) watcher();
  }
}
