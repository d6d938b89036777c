/**
 * WebSocket: messages, by calls that park.
 *
 * The protocol is the business of ws; here are waiting, limits and ends. No greenlet belongs to a
 * WebSocket: an idle one is a few plain objects.
 */
import type { Duplex } from 'node:stream';
import {
  ConcurrentUseError,
  getCurrent,
  InvalidArgumentError,
  NotInGreenletError,
  park,
  type Resume,
  Timeout,
  type TimeoutOption,
  withTimeout,
} from '@tendril/core';
import { whenStalled } from '@tendril/wsgi';
import { checkClose, codeOf } from './close-code.js';
import { WebSocketClosedError } from './errors.js';
import { heartbeat } from './heartbeat.js';
import { Inbox, type Message } from './inbox.js';
import type { Settings } from './options.js';
import type { Wire } from './wire.js';

export type { Message };

/** Unsent bytes at which a sender has to wait. */
const highWater = 64 * 1024;
/** UTF-8 takes no more for a character of a JavaScript string. */
const bytesPerCharacter = 3;

/** The value of `readyState` in which ws sends and receives. */
const open = 1;
/** And that of the end. */
const closed = 3;

/** One end of an open connection: see `accept` and `connect`. */
export class WebSocket implements Iterable<Message>, Disposable {
  readonly #raw: Wire;
  readonly #stream: Duplex;
  readonly #settings: Settings;
  readonly #inbox = new Inbox();
  readonly #stopHeartbeat: () => void;
  #stopClosing: (() => void) | undefined = undefined;
  #receiver: Resume<void> | undefined = undefined;
  #receiving = false;
  /** No message will come any more. */
  #ended = false;
  #error: Error | undefined = undefined;
  #closeCode: number | undefined = undefined;
  #closeReason = '';

  /** For `accept` and `connect`: `raw` is open, `stream` is what it stands on. */
  constructor(raw: Wire, stream: Duplex, settings: Settings) {
    this.#raw = raw;
    this.#stream = stream;
    this.#settings = settings;
    this.#stopHeartbeat = heartbeat(raw, stream, settings.pingInterval);
    raw.on('message', (data, isBinary) => this.#take(data as Buffer, isBinary));
    raw.on('error', (error) => {
      this.#error ??= error;
      this.#limitClose();
    });
    raw.closing = () => this.#limitClose();
    raw.on('close', (code, reason) => this.#closed(code, reason));
  }

  // ----------------------------------------------------------------- receiving

  /**
   * The next message: text as a string, binary as a Buffer. Parks while there is none. Undefined once
   * the connection is closed, by whichever side, and all that came before is received.
   *
   * A kill or a timeout takes nothing away: the next call goes on where this one was.
   *
   * @throws Timeout, ConcurrentUseError if another greenlet receives
   */
  receive(options?: TimeoutOption): Message | undefined {
    if (this.#receiving) throw new ConcurrentUseError('The input of this WebSocket');
    if (this.#inbox.size === 0 && !this.#ended) this.#await(options?.timeout);
    const message = this.#inbox.take();
    if (this.#raw.isPaused && this.#inbox.roomy) this.#raw.resume();
    return message;
  }

  /** Messages until the connection is closed. To leave the loop early does not close it. */
  *[Symbol.iterator](): IterableIterator<Message> {
    for (let message = this.receive(); message !== undefined; message = this.receive())
      yield message;
  }

  #await(timeout: number | undefined): void {
    if (!getCurrent()) throw new NotInGreenletError('WebSocket.receive()');
    const parked = () =>
      park<void>((resume) => {
        this.#receiver = resume;
        return () => {
          this.#receiver = undefined;
        };
      });
    this.#receiving = true;
    try {
      if (timeout === undefined) parked();
      else withTimeout(timeout, parked);
    } finally {
      this.#receiving = false;
    }
  }

  #take(data: Buffer, isBinary: boolean): void {
    if (this.#ended) return;
    this.#inbox.push(isBinary ? data : data.toString(), data.length);
    if (this.#inbox.full && !this.#raw.isPaused) this.#raw.pause();
    this.#wake();
  }

  #wake(): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.();
  }

  // ------------------------------------------------------------------- sending

  /**
   * Sends a message, a string as text and bytes as binary. Parks while the peer takes nothing and
   * 64 KiB wait already: each sender adds at most one message to that. Bytes must not be changed before
   * they have gone out.
   *
   * A kill or a timeout destroys the connection, for the peer has got a part of the message. `timeout`
   * is for the whole of a message; without it a peer may take as long as it needs, and is given up when
   * it takes nothing for `sendTimeout`.
   *
   * @throws Timeout, WebSocketClosedError
   */
  send(data: string | Uint8Array, options?: TimeoutOption): void {
    if (typeof data !== 'string' && !(data instanceof Uint8Array))
      throw new InvalidArgumentError('data', 'a string or bytes', data);
    if (!getCurrent()) throw new NotInGreenletError('WebSocket.send()');
    if (this.closed) throw this.#closedError();
    const raw = this.#raw;
    const most = typeof data === 'string' ? data.length * bytesPerCharacter : data.length;
    if (raw.bufferedAmount + most < highWater) {
      raw.send(data);
      return;
    }
    this.#sendAndWait(data, options?.timeout);
  }

  #sendAndWait(data: string | Uint8Array, timeout: number | undefined): void {
    let sender: Resume<void> | undefined;
    let outcome: Error | 'sent' | undefined;
    this.#raw.send(data, (error) => {
      outcome = error ?? 'sent';
      sender?.();
    });
    if (this.#raw.bufferedAmount <= highWater) return;
    const sent = () =>
      park<void>((resume) => {
        sender = resume;
        if (outcome) resume();
        return () => this.destroy();
      });
    if (timeout === undefined) this.#whileTaken(sent);
    else withTimeout(timeout, sent);
    if (outcome instanceof Error) throw this.#closedError(outcome);
  }

  /** Runs `fn` while the peer takes something, however slowly. */
  #whileTaken(fn: () => void): void {
    const { sendTimeout } = this.#settings;
    let late = false;
    const stop = whenStalled(this.#stream, sendTimeout, () => {
      late = true;
      this.destroy();
    });
    try {
      fn();
    } finally {
      stop();
    }
    if (late) throw new Timeout(sendTimeout);
  }

  #closedError(cause = this.#error): WebSocketClosedError {
    return new WebSocketClosedError(this.closeCode, cause && { cause });
  }

  // ---------------------------------------------------------------------- ends

  /**
   * Begins to close: what was sent goes out before, what is unread is dropped. Never parks; the rest
   * happens by itself, and ends when the peer neither takes anything nor answers for `closeTimeout`.
   * Harmless when it is closed already.
   *
   * @param code 1000, or as RFC 6455, 7.4 has them: 1001 to 1014, 3000 to 4999 for your own
   * @param reason at most 123 bytes
   * @throws InvalidArgumentError
   */
  close(code = 1000, reason = ''): void {
    checkClose(code, reason);
    if (this.closed) return;
    this.#end();
    this.#raw.close(code, reason);
    this.#raw.resume(); // or the answer would not be seen
  }

  /** Closes at once and without a word; what was not sent is lost. */
  destroy(): void {
    this.#end();
    this.#raw.terminate();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #end(): void {
    this.#ended = true;
    this.#inbox.clear();
    this.#stopHeartbeat();
    this.#wake();
  }

  #limitClose(): void {
    if (this.#raw.readyState === closed) return;
    this.#stopClosing ??= whenStalled(this.#stream, this.#settings.closeTimeout, () =>
      this.#raw.terminate(),
    );
  }

  #closed(code: number, reason: Buffer): void {
    this.#stopClosing?.();
    this.#closeCode = (this.#error && codeOf(this.#error)) ?? code;
    this.#closeReason = reason.toString();
    this.#ended = true;
    this.#stopHeartbeat();
    this.#wake();
  }

  /** Nothing can be sent any more: one of the sides has begun to close. */
  get closed(): boolean {
    return this.#raw.readyState !== open;
  }
  /**
   * Why it is closed: the peer's code, 1005 if it gave none, 1006 if the connection broke; for what the
   * peer did wrong, the code that it was sent. Undefined until the connection is closed on both sides.
   */
  get closeCode(): number | undefined {
    return this.#closeCode;
  }
  get closeReason(): string {
    return this.#closeReason;
  }
  /** What went wrong, if it did: Node's error, or ws's with its code (`WS_ERR_…`). */
  get error(): Error | undefined {
    return this.#error;
  }
  /** The subprotocol that was agreed on; empty for none. */
  get protocol(): string {
    return this.#raw.protocol;
  }
  /** Bytes that were sent and have not gone to the kernel yet. */
  get bufferedAmount(): number {
    return this.#raw.bufferedAmount;
  }
}
