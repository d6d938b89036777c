/** UDP. */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { AI_V4MAPPED, type LookupCallback, lookup } from '../dns/index.js';
import { ConcurrentUseError, InvalidArgumentError, SocketClosedError } from '../errors.js';
import { timedOut } from '../greenlet/timeout.js';
import { withCaller } from '../hub/caller-frames.js';
import { park, type Resume } from '../hub/park.js';
import { checkTimeout, expired, type TimeoutOption, waitAtMost } from '../hub/timed-wait.js';
import { Waiter } from '../hub/waiter.js';
import { inContextOfCaller } from '../loop/async-context.js';
import { plainAddress } from './plain-address.js';
import {
  type Callbacks,
  callAll,
  type Readable,
  withCallback,
  withoutCallback,
} from './selectable.js';

export interface DatagramOptions {
  /** 0 or none for any free one. */
  port?: number;
  /** Local address; default all IPv4 addresses. */
  host?: string;
  /** Datagrams that wait here for a reader; more are dropped, as the kernel does. Default 1,024. */
  maxQueued?: number;
  reuseAddr?: boolean;
  reusePort?: boolean;
  broadcast?: boolean;
}

export interface DatagramAddress {
  address: string;
  port: number;
  family?: string;
}

export interface Datagram {
  data: Buffer;
  address: DatagramAddress;
}

/** Where there is no IPv6 address an IPv4 one, in the form that a socket of both families takes. */
const lookupMapped = (host: string, _family: number, callback: LookupCallback) =>
  lookup(host, { family: 6, hints: AI_V4MAPPED }, callback);

/**
 * A UDP socket: opened by its first use, or by {@link open}. One greenlet may receive at a time, any
 * number may send. One that is bound to an IPv6 address for both families (`::`) tells IPv4 peers as
 * IPv4 addresses, and sends to such.
 */
export class DatagramSocket implements Disposable, Readable {
  readonly #options: DatagramOptions;
  readonly #socket: UdpSocket;
  readonly #queue: Datagram[] = [];
  readonly #maxQueued: number;
  #opened = false;
  /** Those who wait for the bind that is under way. */
  #opening: Set<Resume<void>> | undefined = undefined;
  readonly #sending = new Set<Resume<void>>();
  #closed = false;
  #error: Error | undefined = undefined;
  #reader: Waiter<Datagram | typeof expired> | undefined = undefined;
  #handler: ((datagram: Datagram) => void) | undefined = undefined;
  /** Those in select(). */
  #selecting: Callbacks = undefined;
  /** Datagrams that came while the queue was full. */
  dropped = 0;

  constructor(options: DatagramOptions = {}) {
    const { port, host, reuseAddr = false, reusePort } = options;
    if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535))
      throw new InvalidArgumentError('port', 'a whole number from 0 to 65535', port);
    this.#options = options;
    this.#maxQueued = options.maxQueued ?? 1024;
    const six = host !== undefined && isIPv6(host);
    this.#socket = createSocket({
      type: six ? 'udp6' : 'udp4',
      reuseAddr,
      ...(reusePort && { reusePort }),
      lookup: (six ? lookupMapped : lookup) as never,
    });
    this.#socket.on('message', (data, from) => this.#receive(data, from));
    this.#socket.on('error', (error) => this.#fail(error));
  }

  /**
   * Binds, parking until that is done; greenlets that need it at the same time wait for the one bind.
   * Harmless when it is open.
   * @throws SocketClosedError, Node's errors with their codes (EADDRINUSE, EMFILE): it may be tried again
   */
  open(): this {
    if (!this.#opened) this.#await(() => this.close());
    return this;
  }

  /** `abandon`: nobody waits for the bind any more. */
  #await(abandon: () => void): void {
    if (this.#closed) throw new SocketClosedError('This socket');
    if (this.#opened) return;
    park<void>((resume) => {
      const begin = this.#opening === undefined;
      this.#opening ??= new Set();
      const opening = this.#opening.add(resume);
      if (begin) this.#bind();
      return () => {
        opening.delete(resume);
        if (opening.size === 0 && !this.#opened) abandon();
      };
    });
  }

  #bind(): void {
    const { port = 0, host, broadcast } = this.#options;
    try {
      this.#socket.bind({ port, ...(host && { address: host }) }, () => {
        this.#opened = true;
        try {
          if (broadcast) this.#socket.setBroadcast(true);
        } catch (error) {
          this.#bound(error as Error);
          return;
        }
        this.#bound();
      });
    } catch (error) {
      this.#bound(error as Error);
    }
  }

  #bound(error?: Error): void {
    const opening = this.#opening;
    this.#opening = undefined;
    if (!error) this.#error = undefined; // of a bind that select() has tried before
    for (const resume of opening ?? []) error ? resume.error(error) : resume();
  }

  #receive(data: Buffer, { address, port, family }: RemoteInfo): void {
    const plain = plainAddress(address);
    const from =
      plain === address ? { address, port, family } : { address: plain, port, family: 'IPv4' };
    const datagram = { data, address: from };
    if (this.#handler) this.#handler(datagram);
    else if (this.#reader?.wake(datagram)) return;
    else if (this.#queue.length < this.#maxQueued) this.#put(datagram, 'push');
    else this.dropped++;
  }

  #put(datagram: Datagram, at: 'push' | 'unshift'): void {
    this.#queue[at](datagram);
    if (this.#selecting) this.#tellSelecting();
  }

  #fail(error: Error): void {
    if (this.#opening) this.#bound(error);
    else if (this.#reader) this.#reader.fail(error);
    else this.#keep(error);
  }

  #keep(error: unknown): void {
    this.#error = error as Error;
    this.#tellSelecting();
  }

  /**
   * The next datagram, parking until there is one.
   * @throws Timeout, ConcurrentUseError, SocketClosedError, Node's errors with their codes
   */
  recvFrom(options?: TimeoutOption): Datagram {
    checkTimeout(options?.timeout);
    this.#await(() => {});
    if (this.#handler || (this.#reader && !this.#reader.interrupted))
      throw new ConcurrentUseError('The input of this socket');
    const ready = this.#queue.shift();
    if (ready) return ready;
    const error = this.#error;
    this.#error = undefined;
    if (error) throw withCaller(error, this.recvFrom);
    const waiter = new Waiter<Datagram | typeof expired>('recvFrom()');
    this.#reader = waiter;
    try {
      const undo = (datagram: Datagram) => this.#put(datagram, 'unshift');
      const datagram = waitAtMost<Datagram>(waiter, options?.timeout, undefined, undo);
      if (datagram === expired) throw timedOut(options?.timeout);
      return datagram;
    } finally {
      if (this.#reader === waiter) this.#reader = undefined;
    }
  }

  /**
   * Sends one datagram, parking until the kernel has it. A kill or a timeout gives up waiting; what was
   * begun may still go out.
   * @throws SocketClosedError when it is closed meanwhile; Node's errors (EMSGSIZE, ENOTFOUND and so on)
   */
  sendTo(data: string | Uint8Array, to: DatagramAddress): void {
    this.#await(() => {});
    park<void>((resume) => {
      // Node forgets the callback of a send that is closed while it looks up a name.
      this.#sending.add(resume);
      this.#socket.send(data, to.port, to.address, (error) => {
        this.#sending.delete(resume);
        if (error) resume.error(error);
        else resume();
      });
      return () => void this.#sending.delete(resume);
    });
  }

  /**
   * Gives every datagram to `handler`, outside any greenlet and in the AsyncLocalStorage context of the
   * caller, in place of recvFrom(): for servers.
   */
  onDatagram(handler: ((datagram: Datagram) => void) | undefined): void {
    if (this.#reader) throw new ConcurrentUseError('The input of this socket');
    this.#handler = handler && inContextOfCaller(handler);
    if (handler) for (const datagram of this.#queue.splice(0)) handler(datagram);
  }

  /** True when {@link recvFrom} would not park: a datagram or an error is there, or the socket is closed. */
  get readable(): boolean {
    return this.#closed || this.#queue.length > 0 || this.#error !== undefined;
  }

  /** Calls `callback` once, when {@link readable}; opens the socket for it. Returns how to call it off. */
  onceReadable(callback: () => void): () => void {
    this.#selecting = withCallback(this.#selecting, callback);
    if (this.readable) queueMicrotask(() => this.#tellSelecting());
    else if (!this.#opened) this.#openForSelecting();
    return () => {
      this.#selecting = withoutCallback(this.#selecting, callback);
    };
  }

  #openForSelecting(): void {
    const resume = (() => {}) as Resume<void>;
    resume.error = (error) => this.#keep(error);
    const begin = this.#opening === undefined;
    this.#opening ??= new Set();
    this.#opening.add(resume);
    if (begin) this.#bind();
  }

  #tellSelecting(): void {
    const selecting = this.#selecting;
    this.#selecting = undefined;
    callAll(selecting);
  }

  /** Where it is bound; undefined before it is open. */
  get address(): DatagramAddress | undefined {
    if (!this.#opened || this.#closed) return undefined;
    return this.#socket.address();
  }
  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.length = 0;
    this.#socket.close();
    this.#bound(new SocketClosedError('This socket'));
    for (const resume of this.#sending) resume.error(new SocketClosedError('This socket'));
    this.#sending.clear();
    this.#reader?.fail(new SocketClosedError('This socket'));
    this.#tellSelecting();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
