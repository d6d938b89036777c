/**
 * Inbox: what comes in, handed to those who wait for it, in order.
 *
 * The driver allows one receive at a time, and takes none back. So there is at most one, whoever asks
 * for it; its message goes to whoever waits longest, and is kept if nobody does.
 */
import { park, type Resume } from '@tendril/core';

/** The driver's side. */
export interface Source<T> {
  receive(): Promise<T>;
  /** A receive would give something at once. */
  readonly readable: boolean;
  /** How many messages may be kept that nobody has asked for yet; 0 to read on demand only. */
  ahead(): number;
  /** With false, receive() rejects by EAGAIN where it would have to wait. */
  setWaiting(waits: boolean): void;
}

export class Inbox<T> {
  readonly #source: Source<T>;
  readonly #messages: T[] = [];
  readonly #receivers = new Set<Resume<T>>();
  /** Pollers: called when there is something, and dropped. */
  readonly #watchers = new Set<() => void>();
  #reading = false;
  /**
   * Not 0 while messages come in one after the other: the driver is not asked before each whether there
   * is one, which costs it a system call, until it says that there is none.
   */
  #ahead = 0;
  #closed = false;

  constructor(source: Source<T>) {
    this.#source = source;
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
    if (this.#ahead === 0 && this.#source.readable) this.#hurry(this.#source.ahead());
    if (this.#receivers.size > 0 || this.#messages.length < this.#ahead) this.#read();
  };

  // A little is read ahead: each turn of the event loop then brings many messages, and not one.
  #hurry(ahead: number): void {
    if ((ahead === 0) !== (this.#ahead === 0)) this.#source.setWaiting(ahead === 0);
    this.#ahead = ahead;
  }

  readonly #failed = (error: unknown): void => {
    this.#reading = false;
    if (this.#closed) return;
    const [receiver] = this.#receivers;
    if ((error as { code?: string }).code === 'EAGAIN') {
      this.#hurry(0);
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
