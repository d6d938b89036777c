/**
 * Socket: a stream of bytes that parks instead of calling back.
 *
 * It stands on a Duplex of Node's. Chunks are taken as they come, as long as somebody reads or little
 * lies unread; beyond that the stream is paused, and the peer's window closes. No greenlet belongs to
 * a socket: an idle one is a plain object.
 */
import type { Socket as NetSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  ConcurrentUseError,
  IncompleteReadError,
  InvalidArgumentError,
  LimitExceededError,
  NotInGreenletError,
  SocketClosedError,
} from '../errors.js';
import { timedOut } from '../greenlet/timeout.js';
import { withCaller } from '../hub/caller-frames.js';
import { hub } from '../hub/hub.js';
import { checkTimeout, expired, type TimeoutOption, waitAtMost } from '../hub/timed-wait.js';
import { Waiter } from '../hub/waiter.js';
import { ByteQueue } from './byte-queue.js';
import { Endpoint } from './endpoint.js';
import { Output } from './output.js';
import {
  type Callbacks,
  callAll,
  type Readable,
  type Writable,
  withCallback,
  withoutCallback,
} from './selectable.js';

export interface ReadOptions extends TimeoutOption {}

export interface LineOptions extends ReadOptions {
  /** Bytes that a line may have, its end included; default 65,536. */
  max?: number;
  /** How the bytes are read as text; default utf8. */
  encoding?: BufferEncoding;
}

/** Unread bytes at which the peer has to wait. */
const highWater = 64 * 1024;
const defaultMax = 64 * 1024;
/** How long `close()` lets unsent data go out, in milliseconds. */
const lingerTime = 30_000;
/** The longest time that Node's timers have. */
const longestTime = 2 ** 31 - 1;

const lineEnd = Buffer.from('\n');
const empty = Buffer.alloc(0);

type Wake = typeof expired | true;

/** Leads from a stream to its socket. */
const owner = Symbol('socket');
type Owned = Duplex & { [owner]: Socket };

function deadlineOf(timeout: number | undefined): number | undefined {
  return timeout === undefined ? undefined : hub.clock.now() + timeout;
}

/** Wraps any Duplex of Node's; for connections use `connect` and `listen`. */
export class Socket extends Endpoint implements Iterable<Buffer>, Disposable, Readable, Writable {
  override readonly stream: Duplex;
  /** Milliseconds for each call that parks, unless the call has a `timeout` of its own. */
  timeout: number | undefined = undefined;

  readonly #unread = new ByteQueue();
  #ended = false;
  #closed = false;
  #closing = false;
  #paused = true;
  #error: Error | undefined = undefined;
  #reader: Waiter<Wake> | undefined = undefined;
  /** How many bytes the reader waits for. */
  #wanted = 0;
  #output: Output | undefined = undefined;
  #readable: Callbacks = undefined;
  #writable: Callbacks = undefined;

  constructor(stream: Duplex) {
    super();
    this.stream = stream;
    this.#ended = stream.readableEnded;
    this.#closed = stream.destroyed;
    (stream as Owned)[owner] = this;
    for (const [event, listener] of Socket.#listeners) stream.on(event, listener);
    stream.pause();
  }

  // The same five functions for every socket, for there may be many of them.
  // biome-ignore lint/suspicious/noExplicitAny: chunks, errors or nothing, as the event has it
  static readonly #listeners: readonly [string, (this: Owned, what: any) => void][] = [
    [
      'data',
      function (this: Owned, chunk: Buffer | string) {
        this[owner].#receive(chunk);
      },
    ],
    [
      'end',
      function (this: Owned) {
        this[owner].#endInput();
      },
    ],
    [
      'error',
      function (this: Owned, error: Error) {
        this[owner].#fail(error);
      },
    ],
    [
      'close',
      function (this: Owned) {
        this[owner].#afterClose();
      },
    ],
    [
      'drain',
      function (this: Owned) {
        this[owner].#tellWritable();
      },
    ],
  ];

  /**
   * Gives the stream away, for a protocol that takes it over. This socket is closed from here on.
   * @throws ConcurrentUseError if somebody reads or writes, or bytes lie unread
   */
  detach(): Duplex {
    if (this.#reader || this.#output?.busy || this.#unread.size > 0)
      throw new ConcurrentUseError('This socket');
    for (const [event, listener] of Socket.#listeners) this.stream.off(event, listener);
    this.#closed = this.#closing = true;
    return this.stream;
  }

  // ------------------------------------------------------------------- reading

  // One reader at a time, from its call to its return: whoever else asks would take bytes that were
  // counted for it. One that was killed takes none any more.
  #claimInput(): void {
    if (this.#reader && !this.#reader.interrupted)
      throw new ConcurrentUseError('The input of this socket');
  }

  /**
   * Some bytes: what has come, at most `max`. Parks while there are none. Empty at the end of input.
   * @throws Timeout, ConcurrentUseError, SocketClosedError, Node's errors with their codes
   */
  recv(max = defaultMax, options?: ReadOptions): Buffer {
    if (!(max >= 1)) throw new InvalidArgumentError('max', 'a number of bytes, 1 or more', max);
    this.#claimInput();
    if (this.#unread.size === 0 && !this.#awaitInput('recv()', 1, options)) return empty;
    return this.#taken(this.#unread.takeSome(max));
  }

  /**
   * Exactly `length` bytes.
   * @throws IncompleteReadError when the input ends first; and as {@link recv}
   */
  recvExactly(length: number, options?: ReadOptions): Buffer {
    if (!(Number.isInteger(length) && length >= 0))
      throw new InvalidArgumentError('length', 'a whole number of bytes, 0 or more', length);
    this.#claimInput();
    if (this.#unread.size < length && !this.#awaitInput('recvExactly()', length, options))
      throw new IncompleteReadError(this.#unread.takeAll(), `${length} were there`);
    return this.#taken(this.#unread.take(length));
  }

  /**
   * All bytes up to and with `delimiter`.
   * @throws LimitExceededError, IncompleteReadError; and as {@link recv}
   */
  readUntil(delimiter: string | Uint8Array, options?: LineOptions): Buffer {
    const bytes = Buffer.from(delimiter as string);
    if (bytes.length === 0)
      throw new InvalidArgumentError('delimiter', 'at least one byte', delimiter);
    const found = this.#readUntil(bytes, 'readUntil()', options);
    if (found) return found;
    throw new IncompleteReadError(this.#unread.takeAll(), 'the delimiter');
  }

  /**
   * A line as text, without its end (LF or CRLF). Undefined at the end of input.
   * @throws LimitExceededError, IncompleteReadError for a last line without end; and as {@link recv}
   */
  readLine(options?: LineOptions): string | undefined {
    const line = this.#readUntil(lineEnd, 'readLine()', options);
    if (!line) {
      if (this.#unread.size === 0) return undefined;
      throw new IncompleteReadError(this.#unread.takeAll(), 'the end of the line');
    }
    const end = line.length - (line[line.length - 2] === 13 ? 2 : 1);
    return line.toString(options?.encoding, 0, end);
  }

  /** All that comes until the end of input, at most `max` bytes (default 16 MiB). */
  readAll(options?: ReadOptions & { max?: number }): Buffer {
    this.#claimInput();
    const max = options?.max ?? 16 * 1024 * 1024;
    const more = this.#awaitInput('readAll()', max + 1, options);
    if (more) throw new LimitExceededError(max, 'end of input');
    return this.#unread.takeAll();
  }

  /** Chunks as they come, until the end of input. */
  *[Symbol.iterator](): IterableIterator<Buffer> {
    for (;;) {
      const chunk = this.recv();
      if (chunk.length === 0) return;
      yield chunk;
    }
  }

  #readUntil(delimiter: Buffer, what: string, options?: LineOptions): Buffer | undefined {
    this.#claimInput();
    const max = options?.max ?? defaultMax;
    const timeout = this.#limitOf(options);
    const deadline = deadlineOf(timeout);
    let searched = 0;
    for (;;) {
      const at = this.#unread.indexOf(delimiter, searched);
      const end = at + delimiter.length;
      if (at >= 0 && end <= max) return this.#taken(this.#unread.take(end));
      if (at >= 0 || this.#unread.size >= max) throw new LimitExceededError(max, 'delimiter');
      // The delimiter may have begun at the end of what was searched.
      searched = Math.max(0, this.#unread.size - delimiter.length + 1);
      if (!this.#await(what, this.#unread.size + 1, timeout, deadline)) return undefined;
    }
  }

  #limitOf(options: TimeoutOption | undefined): number | undefined {
    const timeout = options?.timeout ?? this.timeout;
    if (timeout !== undefined) checkTimeout(timeout);
    return timeout;
  }

  #awaitInput(what: string, count: number, options: TimeoutOption | undefined): boolean {
    const timeout = this.#limitOf(options);
    return this.#await(what, count, timeout, deadlineOf(timeout));
  }

  /** Parks until `count` bytes are there (true), or the input has ended short of them (false). */
  #await(what: string, count: number, timeout?: number, deadline?: number): boolean {
    for (;;) {
      if (this.#unread.size >= count) return true;
      if (this.#error) throw withCaller(this.#error, this.#await);
      if (this.#ended) return false;
      if (this.#closed || this.#closing) throw new SocketClosedError('This socket');
      if (!hub.current) throw new NotInGreenletError(`Socket.${what}`);
      const waiter = new Waiter<Wake>(what);
      this.#reader = waiter;
      this.#wanted = count;
      this.#flow();
      try {
        const left = deadline === undefined ? undefined : Math.max(0, deadline - hub.clock.now());
        if (waitAtMost<Wake>(waiter, left) === expired) throw timedOut(timeout);
      } finally {
        if (this.#reader === waiter) this.#reader = undefined;
      }
    }
  }

  #taken(bytes: Buffer): Buffer {
    if (this.#paused && this.#unread.size < highWater / 2) this.#flow();
    return bytes;
  }

  #flow(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.stream.resume();
  }

  #receive(chunk: Buffer | string): void {
    if (this.#closing) return;
    this.#unread.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    if (this.#reader) {
      if (this.#unread.size >= this.#wanted) this.#reader.wake(true);
    } else if (this.#unread.size >= highWater) {
      this.#paused = true;
      this.stream.pause();
    }
    if (this.#readable) this.#tellReadable();
  }

  // ------------------------------------------------------------------- writing

  /**
   * Sends all of `data`, in order with what others send. Parks until the kernel has it, or, on any other
   * Duplex, until that calls it written; where the peer takes nothing, for as long. What has been sent
   * may still be lost on the way, as with every socket.
   *
   * `end()` and `close()` of another greenlet let a send that is under way go on. A kill or a timeout
   * closes the socket: the rest of a message that was begun can neither be taken back nor be followed by
   * another one.
   *
   * @throws Timeout, SocketClosedError, Node's errors with their codes (EPIPE, ECONNRESET)
   */
  sendAll(data: string | Uint8Array, options?: TimeoutOption): void {
    const { stream } = this;
    if (!hub.current) throw new NotInGreenletError('Socket.sendAll()');
    if (this.#error) throw withCaller(this.#error, this.sendAll);
    if (this.#closed || this.#closing || stream.writableEnded || stream.destroyed)
      throw new SocketClosedError(
        stream.writableEnded ? 'The output of this socket' : 'This socket',
      );
    if (typeof data !== 'string' && !(data instanceof Uint8Array))
      throw new InvalidArgumentError('data', 'a string or bytes', data);
    const timeout = this.#limitOf(options);
    this.#output ??= new Output(stream);
    if (data.length === 0 || this.#output.write(data)) return;
    if (this.#output.wait(timeout, () => this.destroy()) === expired) throw timedOut(timeout);
  }

  // --------------------------------------------------------------------- ends

  /** Half-close: sends what is left, then tells the peer that nothing follows. Reading goes on. */
  end(): void {
    if (this.#closed || this.stream.writableEnded) return;
    this.stream.end();
    this.#tellWritable();
  }

  /**
   * Closes both ways once what was given to be sent has gone out, sends that are parked included, or
   * when `timeout` milliseconds are over (default 30,000), whatever the peer does meanwhile. Those whose
   * bytes have not left by then get SocketClosedError. Never parks.
   */
  close({ timeout = lingerTime }: TimeoutOption = {}): void {
    checkTimeout(timeout);
    if (this.#closed || this.#closing) return;
    this.#closing = true;
    // Unread input is thrown away, so that the end of a peer that still sends is seen.
    this.#unread.clear();
    this.#settle();
    const { stream } = this;
    const limit = setTimeout(() => this.destroy(), Math.min(timeout, longestTime)).unref();
    stream.once('close', () => clearTimeout(limit));
    const net = stream as Partial<NetSocket>;
    if (net.destroySoon) net.destroySoon();
    else stream.end(() => stream.destroy());
    if (stream.writableLength > 0) this.#flow();
  }

  /** Closes at once. What was not sent is lost, and those who wait for it get SocketClosedError. */
  destroy(): void {
    this.#closing = true;
    this.stream.destroy();
    this.#output?.fail(this.#error);
    this.#settle();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** True once it has been closed, by either side or by an error. */
  get closed(): boolean {
    return this.#closed || this.#closing;
  }

  #endInput(): void {
    this.#ended = true;
    this.#settle();
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#output?.fail(this.#error);
    this.#settle();
  }

  #afterClose(): void {
    this.#closed = true;
    // A peer that went without an error and without an end: the input is over all the same.
    if (!this.#closing) this.#ended = true;
    this.#output?.fail(this.#error);
    this.#settle();
  }

  #settle(): void {
    this.#reader?.wake(true);
    if (this.#readable) this.#tellReadable();
    if (this.#writable && this.writable) this.#tellWritable();
  }

  // ------------------------------------------------------------------ selecting

  /**
   * True when a read would not park: bytes, the end or an error are there, or the socket was closed and
   * a read would say so.
   */
  get readable(): boolean {
    return this.#unread.size > 0 || this.#ended || this.closed || this.#error !== undefined;
  }

  /** True when no read will ever find anything again: the input has ended, and nothing lies unread. */
  get finished(): boolean {
    return this.#unread.size === 0 && (this.#ended || this.closed || this.#error !== undefined);
  }

  /** True when a send would not park for long: little or nothing waits to be sent, or it would throw. */
  get writable(): boolean {
    const { stream } = this;
    return !stream.writableNeedDrain || stream.writableEnded || this.closed || stream.destroyed;
  }

  /** Calls `callback` once, when {@link readable}. Returns how to call it off. */
  onceReadable(callback: () => void): () => void {
    this.#readable = withCallback(this.#readable, callback);
    if (this.readable) queueMicrotask(() => this.#tellReadable());
    else this.#flow();
    return () => {
      this.#readable = withoutCallback(this.#readable, callback);
    };
  }

  /** Calls `callback` once, when {@link writable}. Returns how to call it off. */
  onceWritable(callback: () => void): () => void {
    this.#writable = withCallback(this.#writable, callback);
    if (this.writable) queueMicrotask(() => this.#tellWritable());
    return () => {
      this.#writable = withoutCallback(this.#writable, callback);
    };
  }

  #tellReadable(): void {
    const waiting = this.#readable;
    this.#readable = undefined;
    callAll(waiting);
  }

  #tellWritable(): void {
    const waiting = this.#writable;
    this.#writable = undefined;
    callAll(waiting);
  }
}

/** A Socket over any Duplex: a pipe, a test's pair of streams, a tunnel. */
export function wrap(duplex: Duplex): Socket {
  return new Socket(duplex);
}
