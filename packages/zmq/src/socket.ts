/** Socket: what all classes have in common, around a socket of the driver. */
import {
  getCurrent,
  InvalidArgumentError,
  NotInGreenletError,
  SocketClosedError,
} from '@tendril/core';
import type { Context } from 'zeromq';
import { Inbox } from './inbox.js';
import { Observer } from './observer.js';
import { Outbox } from './outbox.js';
import { type Raw, receiveWithin } from './raw.js';

/** What this package itself needs of a socket. */
export const internal: unique symbol = Symbol('internal');
const internalCheck: unique symbol = Symbol('check');

/** Milliseconds that unsent messages may live after close(), and may hold the end of the process. */
const defaultLinger = 1000;
/** libzmq's own: for ever. */
const endlessLinger = -1;
/** Messages read ahead of those who ask. */
const maxAhead = 128;
/** Milliseconds that a receive of the driver lives on when nobody wants its message any more. */
const receiveChunk = 1000;

/**
 * A network that has gone silent is found within a minute: by TCP's keep-alive while a connection is idle,
 * and by how long what was sent may stay unacknowledged (in milliseconds). The system's own take two hours, or
 * have none. ZMTP's heartbeats would find a peer that stands still, too, but peers that do not know them
 * break off: see `heartbeatInterval`.
 */
const networkDefaults = {
  tcpKeepalive: 1,
  tcpKeepaliveIdle: 30,
  tcpKeepaliveInterval: 10,
  tcpKeepaliveCount: 3,
  tcpMaxRetransmitTimeout: 60_000,
};

/** How a class differs from others. */
export interface Traits {
  /** Its messages depend on what was sent or set last: none is read before somebody asks. */
  readonly inStep?: boolean;
  /** A new message makes unread answers to the one before worthless. */
  readonly forgets?: boolean;
  /** libzmq may refuse a message although there is room. */
  readonly careful?: boolean;
  /** Unless told otherwise, it drops messages that it has no room for, and never waits. */
  readonly unbounded?: boolean;
  /** The driver insists on options for send(); these go with none of our messages. */
  readonly sendOptions?: object;
}

type RawClass = new (options: object) => unknown;

interface Options {
  context?: Context;
  sendTimeout?: number;
  receiveTimeout?: number;
  [option: string]: unknown;
}

export interface Internal {
  readonly raw: Raw;
  readonly inbox: Inbox<unknown[]>;
  readonly outbox: Outbox;
  sendTimeout: number;
  receiveTimeout: number;
}

/** Base of all sockets. */
export abstract class Socket implements Disposable {
  readonly [internal]: Internal;
  #closed = false;
  #events: Observer | undefined;

  /** For the subclasses. @throws InvalidArgumentError, and the driver's error for a bad value */
  constructor(rawClass: RawClass, traits: Traits, options: Options = {}) {
    if (typeof options !== 'object' || options === null)
      throw new InvalidArgumentError('options', 'an object', options);
    const { context, sendTimeout = -1, receiveTimeout = -1, ...others } = options;
    for (const name of Object.keys(others))
      if (!(name in this)) throw new InvalidArgumentError('options', 'an object of options', name);
    const raw = new rawClass(context === undefined ? {} : { context }) as Raw;
    const { receive, setWaiting } = receiveWithin(raw, receiveChunk);
    const inbox: Inbox<unknown[]> = new Inbox({
      receive,
      get readable() {
        return raw.readable;
      },
      ahead: traits.inStep ? () => 0 : () => this.#ahead(),
      setWaiting,
    });
    const outbox = new Outbox(
      raw,
      traits.unbounded ?? false,
      traits.sendOptions,
      traits.forgets ? () => inbox.clear() : undefined,
    );
    outbox.careful = traits.careful ?? false;
    this[internal] = { raw, inbox, outbox, sendTimeout, receiveTimeout };
    try {
      checkMilliseconds('sendTimeout', sendTimeout);
      checkMilliseconds('receiveTimeout', receiveTimeout);
      // A context that is not `blocky` has set it to 0.
      if (raw.linger === endlessLinger) raw.linger = defaultLinger;
      Object.assign(this, networkDefaults, others);
    } catch (error) {
      raw.close();
      throw error;
    }
  }

  /** A socket that keeps only the newest message, or few of them, is not to become a longer queue. */
  #ahead(): number {
    if (this.#closed) return 0;
    const own = this as { conflate?: boolean; receiveHighWaterMark?: number };
    if (own.conflate) return 0;
    return Math.min(maxAhead, own.receiveHighWaterMark || maxAhead);
  }

  /**
   * Binds to an address: `tcp://127.0.0.1:*` takes a free port, which `lastEndpoint` tells. Ends at
   * once: no name is looked up.
   * @throws the driver's error, EADDRINUSE for one
   */
  bind(address: string): void {
    this.#change(address, (raw) => raw.bindSync(address));
  }
  /** As {@link bind}: the driver has both. */
  bindSync(address: string): void {
    this.bind(address);
  }
  /** Unbinds from an address as `lastEndpoint` gave it. @throws the driver's error, ENOENT for one */
  unbind(address: string): void {
    // libzmq has one operation under two names. The driver's unbind() would use the socket in another
    // thread while a receive is pending in this one, and its unbindSync() binds.
    this.#change(address, (raw) => raw.disconnect(address));
  }
  unbindSync(address: string): void {
    this.unbind(address);
  }
  /** Connects, in the background and again after every loss. */
  connect(address: string, options?: { routingId?: string }): void {
    this.#change(address, (raw) =>
      options ? raw.connect(address, options) : raw.connect(address),
    );
  }
  disconnect(address: string): void {
    this.#change(address, (raw) => raw.disconnect(address));
  }

  #change(address: string, change: (raw: Raw) => void): void {
    if (typeof address !== 'string') throw new InvalidArgumentError('address', 'a string', address);
    this[internalCheck]();
    const { raw, outbox } = this[internal];
    change(raw);
    outbox.stirred();
  }

  /**
   * Closes it. Greenlets that send or receive get a SocketClosedError, iterations end, what is unread is
   * dropped; what was handed to libzmq still goes out for `linger` milliseconds. Harmless at any time.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const error = closedError();
    const { raw, inbox, outbox } = this[internal];
    inbox.close(error);
    outbox.close(error);
    raw.close();
  }
  [Symbol.dispose](): void {
    this.close();
  }

  /** @throws SocketClosedError */
  [internalCheck](): void {
    if (this.#closed) throw closedError();
  }

  get closed(): boolean {
    return this.#closed;
  }
  get context(): Context {
    return this[internal].raw.context;
  }
  /** A message can be received without waiting. */
  get readable(): boolean {
    if (this.#closed) return false;
    const { inbox, raw } = this[internal];
    return inbox.ready || (!inbox.reading && raw.readable);
  }
  /** A message can be sent without waiting. */
  get writable(): boolean {
    return !this.#closed && this[internal].outbox.ready;
  }
  /** What happens to its connections. */
  get events(): Observer {
    this[internalCheck]();
    this.#events ??= new Observer(this[internal].raw.events);
    return this.#events;
  }

  /** Milliseconds after which send() throws EAGAIN; -1 for never, 0 for at once. */
  get sendTimeout(): number {
    return this[internal].sendTimeout;
  }
  set sendTimeout(ms: number) {
    checkMilliseconds('sendTimeout', ms);
    this[internal].sendTimeout = ms;
  }
  /** Milliseconds after which receive() throws EAGAIN; -1 for never, 0 for at once. */
  get receiveTimeout(): number {
    return this[internal].receiveTimeout;
  }
  set receiveTimeout(ms: number) {
    checkMilliseconds('receiveTimeout', ms);
    this[internal].receiveTimeout = ms;
  }
}

function closedError(): SocketClosedError {
  return new SocketClosedError('This ZeroMQ socket');
}

/** @throws InvalidArgumentError */
function checkMilliseconds(name: string, ms: number): void {
  if (!(Number.isInteger(ms) && ms >= -1))
    throw new InvalidArgumentError(name, 'a whole number of milliseconds, or -1', ms);
}

/** @throws NotInGreenletError, SocketClosedError */
export function checkUse(socket: Socket, what: string): void {
  if (!getCurrent()) throw new NotInGreenletError(what);
  socket[internalCheck]();
}
