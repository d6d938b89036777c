/**
 * Socket: a stream of bytes that parks instead of calling back.
 *
 * It stands on a Duplex of Node's. Chunks are taken as they come, as long as somebody reads or little
 * lies unread; beyond that the stream is paused, and the peer's window closes. No greenlet belongs to
 * a socket: an idle one is a plain object.
 */
import type { Socket as NetSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import {
  ConcurrentUseError,
  IncompleteReadError,
  InvalidArgumentError,
  LimitExceededError,
  NotInGreenletError,
  SocketClosedError,
} from '../errors.js';
import { timedOut } from '../greenlet/timeout.js';
import { hub } from '../hub/hub.js';
import { checkTimeout, expired, type TimeoutOption, waitAtMost } from '../hub/timed-wait.js';
import { Waiter } from '../hub/waiter.js';
import { ByteQueue } from './byte-queue.js';
import type { Readable, Writable } from './selectable.js';

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
export class Socket implements Iterable<Buffer>, Disposable, Readable, Writable {
  /** What it stands on. To read from it elsewhere takes bytes away from this socket. */
  readonly stream: Duplex;
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
  #writers: Set<Waiter<Wake>> | undefined = undefined;
  /** Who is to be told: one callback as a rule, seldom more. */
  #readable: (() => void) | (() => void)[] | undefined = undefined;

  constructor(stream: Duplex) {
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
        this[owner].#wakeWriters();
      },
    ],
  ];

  /**
   * Gives the stream away, for a protocol that takes it over. This socket is closed from here on.
   * @throws ConcurrentUseError if somebody reads or writes, or bytes lie unread
   */
  detach(): Duplex {
    if (this.#reader || this.#writers?.size || this.#unread.size > 0)
      throw new ConcurrentUseError('This socket');
    for (const [event, listener] of Socket.#listeners) this.stream.off(event, listener);
    this.#closed = this.#closing = true;
    return this.stream;
  }

  // ------------------------------------------------------------------- reading

  /**
   * Some bytes: what has come, at most `max`. Parks while there are none. Empty at the end of input.
   * @throws Timeout, ConcurrentUseError, SocketClosedError, Node's errors with their codes
   */
  recv(max = defaultMax, options?: ReadOptions): Buffer {
    if (!(max >= 1)) throw new InvalidArgumentError('max', 'a number of bytes, 1 or more', max);
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
      if (this.#error) throw this.#error;
      if (this.#ended) return false;
      if (this.#closed || this.#closing) throw new SocketClosedError('This socket');
      if (!hub.current) throw new NotInGreenletError(`Socket.${what}`);
      if (this.#reader) throw new ConcurrentUseError('The input of this socket');
      const waiter = new Waiter<Wake>(what);
      this.#reader = waiter;
      this.#wanted = count;
      this.#flow();
      try {
        const left = deadline === undefined ? undefined : Math.max(0, deadline - hub.clock.now());
        if (waitAtMost<Wake>(waiter, left) === expired) throw timedOut(timeout);
      } finally {
        this.#reader = undefined;
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
   * Sends all of `data`, in order with what others send. Parks while the peer takes nothing; what has
   * gone to the kernel may still be under way on return, and `data` must not be changed until then.
   *
   * A kill or a timeout closes the socket: the rest of a message that was begun can neither be taken
   * back nor be followed by another one.
   *
   * @throws Timeout, SocketClosedError, Node's errors with their codes (EPIPE, ECONNRESET)
   */
  sendAll(data: string | Uint8Array, options?: TimeoutOption): void {
    const { stream } = this;
    if (!hub.current) throw new NotInGreenletError('Socket.sendAll()');
    if (this.#error) throw this.#error;
    if (this.#closed || this.#closing || stream.writableEnded)
      throw new SocketClosedError(
        stream.writableEnded ? 'The output of this socket' : 'This socket',
      );
    if (typeof data !== 'string' && !(data instanceof Uint8Array))
      throw new InvalidArgumentError('data', 'a string or bytes', data);
    if (data.length === 0 || stream.write(data)) return;
    this.#awaitDrain(options);
  }

  #awaitDrain(options: TimeoutOption | undefined): void {
    const timeout = this.#limitOf(options);
    const waiter = new Waiter<Wake>('sendAll()');
    this.#writers ??= new Set();
    this.#writers.add(waiter);
    try {
      if (waitAtMost<Wake>(waiter, timeout, () => this.destroy()) === expired)
        throw timedOut(timeout);
    } finally {
      this.#writers.delete(waiter);
    }
    if (this.#error) throw this.#error;
    if (this.#closed) throw new SocketClosedError('This socket');
  }

  #wakeWriters(): void {
    if (this.#writers) for (const writer of this.#writers) writer.wake(true);
  }

  // --------------------------------------------------------------------- ends

  /** Half-close: sends what is left, then tells the peer that nothing follows. Reading goes on. */
  end(): void {
    if (!this.#closed && !this.stream.writableEnded) this.stream.end();
  }

  /** Closes both ways once what was written has gone out (at most 30 s later). Never parks. */
  close(): void {
    if (this.#closed || this.#closing) return;
    this.#closing = true;
    this.#settle();
    const net = this.stream as Partial<NetSocket>;
    if (net.destroySoon) {
      net.setTimeout?.(lingerTime, () => this.stream.destroy());
      net.destroySoon();
    } else {
      this.stream.end(() => this.stream.destroy());
    }
    // Unread input is thrown away, so that the end of a peer that still sends is seen.
    this.#unread.clear();
  }

  /** Closes at once; what was not sent is lost. */
  destroy(): void {
    this.#closing = true;
    this.stream.destroy();
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
    this.#settle();
  }

  #afterClose(): void {
    this.#closed = true;
    // A peer that went without an error and without an end: the input is over all the same.
    if (!this.#closing) this.#ended = true;
    this.#settle();
    this.#wakeWriters();
  }

  #settle(): void {
    this.#reader?.wake(true);
    if (this.#error || this.#closing) this.#wakeWriters();
    if (this.#readable) this.#tellReadable();
  }

  // ------------------------------------------------------------------ selecting

  /** True when a read would not park: bytes, the end or an error are there. */
  get readable(): boolean {
    return this.#unread.size > 0 || this.#ended || this.#closed || this.#error !== undefined;
  }

  /** True when no read will ever find anything again: the input has ended, and nothing lies unread. */
  get finished(): boolean {
    return this.#unread.size === 0 && (this.#ended || this.#closed || this.#error !== undefined);
  }

  /** True when a send would not park for long: little or nothing waits to be sent. */
  get writable(): boolean {
    return !this.stream.writableNeedDrain;
  }

  /** Calls `callback` once, when {@link readable}. Returns how to call it off. */
  onceReadable(callback: () => void): () => void {
    if (!this.#readable) this.#readable = callback;
    else this.#readable = [this.#readable, callback].flat();
    if (this.readable) queueMicrotask(() => this.#tellReadable());
    else this.#flow();
    return () => {
      if (this.#readable === callback) this.#readable = undefined;
      else if (Array.isArray(this.#readable))
        this.#readable = this.#readable.filter((other) => other !== callback);
    };
  }

  /** Calls `callback` once, when {@link writable}. Returns how to call it off. */
  onceWritable(callback: () => void): () => void {
    const { stream } = this;
    if (this.writable) {
      let off = false;
      queueMicrotask(() => off || callback());
      return () => {
        off = true;
      };
    }
    stream.once('drain', callback).once('close', callback);
    return () => stream.off('drain', callback).off('close', callback);
  }

  #tellReadable(): void {
    const waiting = this.#readable;
    this.#readable = undefined;
    if (typeof waiting === 'function') waiting();
    else if (waiting) for (const callback of waiting) callback();
  }

  // ------------------------------------------------------------------ addresses

  get #net(): NetSocket {
    return this.stream as NetSocket;
  }
  get remoteAddress(): string | undefined {
    return this.#net.remoteAddress;
  }
  get remotePort(): number | undefined {
    return this.#net.remotePort;
  }
  get remoteFamily(): string | undefined {
    return this.#net.remoteFamily;
  }
  get localAddress(): string | undefined {
    return this.#net.localAddress;
  }
  get localPort(): number | undefined {
    return this.#net.localPort;
  }
  get bytesRead(): number {
    return this.#net.bytesRead;
  }
  get bytesWritten(): number {
    return this.#net.bytesWritten;
  }

  /** Sends small pieces at once (TCP_NODELAY). */
  setNoDelay(on = true): void {
    this.#net.setNoDelay?.(on);
  }
  /** TCP keep-alive probes, the first after `initialDelay` milliseconds. */
  setKeepAlive(on = true, initialDelay = 0): void {
    this.#net.setKeepAlive?.(on, initialDelay);
  }

  // ------------------------------------------------------------------------ TLS

  get #tls(): Partial<TLSSocket> {
    return this.stream as Partial<TLSSocket>;
  }
  get encrypted(): boolean {
    return this.#tls.encrypted === true;
  }
  /** True when the peer's certificate was verified. */
  get authorized(): boolean {
    return this.#tls.authorized === true;
  }
  /** The protocol that ALPN chose. */
  get alpnProtocol(): string | undefined {
    return this.#tls.alpnProtocol || undefined;
  }
  /** The name that the client asked for (SNI). */
  get servername(): string | undefined {
    const name = (this.#tls as { servername?: string | false }).servername;
    return name || undefined;
  }
  peerCertificate(): DetailedPeerCertificate | undefined {
    return this.#tls.getPeerCertificate?.(true);
  }
}

/** A Socket over any Duplex: a pipe, a test's pair of streams, a tunnel. */
export function wrap(duplex: Duplex): Socket {
  return new Socket(duplex);
}
