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

/** Messages in a row after which more are expected: to find none is dear, for it makes an error. */
const hurryAfter = 4;
/**
 * Messages that are read before greenlets that were woken for them get their turn. Those send what the
 * peer waits for: it idles while this thread reads all that there is, and then this thread does.
 */
const handful = 16;

interface Receiver {
  readonly resume: Resume<void>;
  woken: boolean;
}

export class Inbox<T> {
  readonly #source: Source<T>;
  readonly #messages: T[] = [];
  readonly #receivers: Receiver[] = [];
  /**
   * Receivers that were woken for a message and have not gone on yet. A message stays here until its
   * greenlet has it: one that dies on the way leaves it to the next, in its place.
   */
  #woken = 0;
  /** Pollers: called when there is something, and dropped. */
  readonly #watchers = new Set<() => void>();
  #reading = false;
  /**
   * Not 0 while messages come in one after the other: the driver is not asked before each whether there
   * is one, which costs it a system call, until it says that there is none.
   */
  #ahead = 0;
  /** Messages that came one after the other. */
  #streak = 0;
  #closed: Error | undefined = undefined;

  constructor(source: Source<T>) {
    this.#source = source;
  }

  /** A message lies here, to be had without waiting. */
  get ready(): boolean {
    return this.#messages.length > this.#woken;
  }
  /** The driver is waiting for a message. */
  get reading(): boolean {
    return this.#reading;
  }

  /** The oldest message, if there is one, and nobody is before the caller. */
  take(): T | undefined {
    return this.#woken > 0 ? undefined : this.#messages.shift();
  }

  /** Parks for the next message. A kill or a timeout leaves it to the next in line. */
  wait(): T {
    park<void>((resume) => {
      const receiver: Receiver = { resume, woken: false };
      this.#receivers.push(receiver);
      if (!this.ready) this.#read();
      return () => {
        if (receiver.woken) this.#goOn();
        else this.#leave(receiver);
      };
    });
    const message = this.#messages.shift();
    this.#goOn();
    if (message !== undefined) return message;
    // It was dropped meanwhile.
    if (this.#closed) throw this.#closed;
    return this.wait();
  }

  #leave(receiver: Receiver): void {
    const at = this.#receivers.indexOf(receiver);
    if (at >= 0) this.#receivers.splice(at, 1);
  }

  #goOn(): void {
    this.#woken--;
    this.#wake();
  }

  #wake(): void {
    while (this.#receivers.length > 0) {
      if (!this.ready) {
        // Those that came while there was more than had been asked for, and have gone empty away.
        this.#read();
        return;
      }
      const receiver = this.#receivers.shift() as Receiver;
      this.#woken++;
      receiver.woken = true;
      receiver.resume();
    }
  }

  /** Gives a message back that was taken and not used: it is the next one again. */
  putBack(message: T): void {
    this.#messages.unshift(message);
    this.#wake();
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
    this.#closed = error;
    this.clear();
    for (const { resume } of this.#receivers.splice(0)) resume.error(error);
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
    this.#messages.push(message);
    this.#wake();
    if (this.ready) this.#wakeWatchers();
    if (this.#receivers.length > 0) return; // #wake() has begun to read
    const left = this.#messages.length - this.#woken;
    if (this.#woken > 0 && left >= handful) return;
    if (this.#ahead === 0) this.#lookAhead();
    else if (left < this.#ahead) this.#read();
  };

  #lookAhead(): void {
    const room = this.#source.ahead();
    if (this.#messages.length - this.#woken >= room || !this.#source.readable) {
      this.#streak = 0;
      return;
    }
    if (++this.#streak >= hurryAfter) this.#hurry(room);
    this.#read();
  }

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
      this.#streak = 0;
      // The driver's wait is over, ours is not; if nobody wants a message any more, it ends here.
      if (receiver || this.#watchers.size > 0) this.#read();
    } else if (receiver) {
      this.#leave(receiver);
      receiver.resume.error(error);
      if (this.#receivers.length > 0) this.#read();
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
