/**
 * Outbox: messages on their way to the driver, in order.
 *
 * A message is handed over only when libzmq takes it at once, so none that waits here is ever in the
 * driver's hands. To wait, the driver sends a message of no parts: nothing goes out, and it ends when
 * there is room.
 */
import { park, type Resume } from '@tendril/core';
import type { MessageLike } from 'zeromq';
import { type Raw, roomWithin, setSendTimeout } from './raw.js';

type Message = MessageLike | MessageLike[];

class Entry {
  readonly message: Message;
  readonly options: object | undefined;
  /** Undefined for a message whose sender did not wait. */
  readonly resume: Resume<void> | undefined;
  /** Its sender was interrupted: it is not tried again. */
  cancelled = false;
  /** Its sender was told that it has gone out, and has gone on. */
  woken = false;

  /** Of the list a copy: when it goes out, or again, the sender may use it for something else. */
  constructor(message: Message, options: object | undefined, resume?: Resume<void>) {
    this.message = Array.isArray(message) ? [...message] : message;
    this.options = options;
    this.resume = resume;
  }
}

/**
 * Milliseconds after which the driver's wait is begun anew. libzmq tells of room and of messages by
 * one signal, and a receive that begins meanwhile may take it.
 */
const waitChunk = 20;
/** Milliseconds between tries where libzmq says that there is room, and then that there is none. */
const retryInterval = 2;
/** Sends without a pause before the event loop gets its turn. */
const burst = 128;

export class Outbox {
  readonly #raw: Raw;
  /** For the driver where it insists on options. */
  readonly #probeOptions: object | undefined;
  /** Called when a message has gone out. */
  readonly #sent: (() => void) | undefined;
  /** libzmq drops what it has no room for: it need not be asked before. */
  readonly #unbounded: boolean;
  readonly #queue: Entry[] = [];
  readonly #watchers = new Set<() => void>();
  /** libzmq may refuse a message although it says that there is room: each answer is waited for. */
  careful = false;
  #waiting = false;
  #handing = false;
  /** Senders whose message has gone out and who have not gone on yet. */
  #woken = 0;
  #inRow = 0;
  #broken: unknown;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(raw: Raw, unbounded: boolean, probeOptions?: object, sent?: () => void) {
    this.#raw = raw;
    this.#unbounded = unbounded;
    this.#probeOptions = probeOptions;
    this.#sent = sent;
    setSendTimeout(raw, 0);
  }

  /** Hands `message` over if that is possible now. False: nothing has happened. */
  trySend(message: Message, options: object | undefined): boolean {
    if (this.#broken) throw this.#broken;
    if (
      this.careful ||
      this.#queue.length > 0 ||
      this.#woken > 0 ||
      this.#waiting ||
      ++this.#inRow > burst
    )
      return false;
    if (!this.#unbounded && !this.#raw.writable) return false;
    const entry = new Entry(message, options);
    this.#hand(entry);
    entry.woken = true;
    return true;
  }

  /** Parks until `message` is handed over. A kill or a timeout before that takes it back. */
  send(message: Message, options: object | undefined): void {
    park<void>((resume) => {
      const entry = new Entry(message, options, resume);
      this.#queue.push(entry);
      if (this.#queue.length === 1) this.#begin();
      return () => {
        entry.cancelled = true;
        const at = this.#queue.indexOf(entry);
        if (at >= 0) this.#queue.splice(at, 1);
        if (entry.woken) this.#goOn();
      };
    });
    this.#goOn();
  }

  // Senders go on in the order of their messages: those that call meanwhile have to queue behind.
  #goOn(): void {
    if (--this.#woken === 0 && this.#queue.length > 0) this.#begin();
  }

  #wake(entry: Entry): void {
    if (!entry.resume || entry.woken) return;
    entry.woken = true;
    this.#woken++;
    entry.resume();
  }

  /** There is room now. */
  get ready(): boolean {
    if (this.#waiting || this.#queue.length > 0) return false;
    const { writable } = this.#raw;
    this.stirred();
    return writable;
  }

  /** Calls `fn` once, when there is room or the socket was closed. Returns how to stop that. */
  watch(fn: () => void): () => void {
    this.#watchers.add(fn);
    if (!this.#handing) this.#await();
    return () => this.#watchers.delete(fn);
  }

  /**
   * After a call that may have taken the signal that a pending receive waits for: sending nothing makes
   * the driver look again.
   */
  stirred(): void {
    if (!this.#waiting) this.#sendRaw([], this.#probeOptions);
  }

  /** Wakes all who wait with `error`. */
  close(error: Error): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    for (const { resume } of this.#queue.splice(0)) resume?.error(error);
    this.#wakeWatchers();
  }

  // The first in line after a burst: the event loop has its turn before.
  #begin(): void {
    if (this.#inRow > burst) setImmediate(() => this.#flush());
    else if (!this.#handing && !this.#waiting && this.#woken === 0) this.#flush();
  }

  /** Hands over as long as there is room. */
  readonly #flush = (): void => {
    this.#inRow = 0;
    if (this.#closed || this.#waiting || this.#handing) return;
    while (this.#queue.length > 0 && !this.#handing) {
      if (!this.#raw.writable) {
        this.#await();
        return;
      }
      const entry = this.#queue.shift() as Entry;
      if (this.#hand(entry) && !this.careful) this.#wake(entry);
    }
    if (!this.#handing) this.#wakeWatchers();
  };

  /** False if the driver did not take it. @throws its error if no sender waits for it, nor has gone on */
  #hand(entry: Entry): boolean {
    this.#handing = this.careful;
    try {
      this.#sendRaw(entry.message, entry.options).then(
        this.careful ? () => this.#taken(entry) : undefined,
        (error) => this.#refused(entry, error),
      );
    } catch (error) {
      this.#handing = false;
      // Of one that is tried again nobody is there to be told: the next sender is.
      if (entry.woken) this.#broken = error;
      else if (entry.resume) entry.resume.error(error);
      else throw error;
      return false;
    }
    this.#sent?.();
    return true;
  }

  // The driver counts its arguments.
  #sendRaw(message: Message, options: object | undefined): Promise<void> {
    return options ? this.#raw.send(message, options) : this.#raw.send(message);
  }

  #taken(entry: Entry): void {
    this.#handing = false;
    this.#wake(entry);
    this.#flush();
  }

  // Where nobody waits for the answer, the last peer has gone between the look and the send.
  #refused(entry: Entry, error: unknown): void {
    this.#handing = false;
    if (this.#closed) return;
    if (entry.cancelled) {
      this.#flush();
    } else if ((error as { code?: string }).code === 'EAGAIN') {
      this.#queue.unshift(entry);
      this.#retry = setTimeout(this.#flush, retryInterval);
    } else if (this.careful) {
      entry.resume?.error(error);
      this.#flush();
    } else {
      this.#broken = error;
    }
  }

  #await(): void {
    if (this.#waiting || this.#closed) return;
    this.stirred();
    this.#waiting = true;
    const probe = () => this.#sendRaw([], this.#probeOptions);
    roomWithin(this.#raw, waitChunk, probe).then(this.#awaited, this.#awaited);
  }

  readonly #awaited = (): void => {
    this.#waiting = false;
    if (this.#closed) return;
    setSendTimeout(this.#raw, 0);
    if (this.#queue.length > 0) this.#flush();
    else if (this.#watchers.size > 0) {
      if (this.#raw.writable) this.#wakeWatchers();
      else this.#await();
    }
  };

  #wakeWatchers(): void {
    if (this.#watchers.size === 0) return;
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const watcher of watchers) watcher();
  }
}
