/** UDP. */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { ConcurrentUseError, InvalidArgumentError, SocketClosedError } from '../errors.js';
import { timedOut } from '../greenlet/timeout.js';
import { withCaller } from '../hub/caller-frames.js';
import { park } from '../hub/park.js';
import { checkTimeout, expired, type TimeoutOption, waitAtMost } from '../hub/timed-wait.js';
import { Waiter } from '../hub/waiter.js';

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

/** A UDP socket: opened by its first use, or by {@link open}. */
export class DatagramSocket implements Disposable {
  readonly #options: DatagramOptions;
  readonly #socket: UdpSocket;
  readonly #queue: Datagram[] = [];
  readonly #maxQueued: number;
  #opened = false;
  #closed = false;
  #error: Error | undefined = undefined;
  #reader: Waiter<Datagram | typeof expired> | undefined = undefined;
  #handler: ((datagram: Datagram) => void) | undefined = undefined;
  /** Datagrams that came while the queue was full. */
  dropped = 0;

  constructor(options: DatagramOptions = {}) {
    const { port, host, reuseAddr = false, reusePort } = options;
    if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535))
      throw new InvalidArgumentError('port', 'a whole number from 0 to 65535', port);
    this.#options = options;
    this.#maxQueued = options.maxQueued ?? 1024;
    const type = host && isIPv6(host) ? 'udp6' : 'udp4';
    this.#socket = createSocket({ type, reuseAddr, ...(reusePort && { reusePort }) });
    this.#socket.on('message', (data, from) => this.#receive(data, from));
    this.#socket.on('error', (error) => this.#fail(error));
  }

  /** Binds, parking until that is done. Harmless when it is open. */
  open(): this {
    if (this.#closed) throw new SocketClosedError('This socket');
    if (this.#opened) return this;
    const { port = 0, host } = this.#options;
    park<void>((resume) => {
      const failed = (error: Error) => resume.error(error);
      this.#socket.once('error', failed);
      this.#socket.bind({ port, ...(host && { address: host }) }, () => {
        this.#socket.off('error', failed);
        this.#opened = true;
        if (this.#options.broadcast) this.#socket.setBroadcast(true);
        resume();
      });
      return () => this.close();
    });
    return this;
  }

  #receive(data: Buffer, { address, port, family }: RemoteInfo): void {
    const datagram = { data, address: { address, port, family } };
    if (this.#handler) this.#handler(datagram);
    else if (this.#reader?.wake(datagram)) return;
    else if (this.#queue.length < this.#maxQueued) this.#queue.push(datagram);
    else this.dropped++;
  }

  #fail(error: Error): void {
    if (this.#reader) this.#reader.fail(error);
    else this.#error = error;
  }

  /**
   * The next datagram, parking until there is one.
   * @throws Timeout, ConcurrentUseError, SocketClosedError, Node's errors with their codes
   */
  recvFrom(options?: TimeoutOption): Datagram {
    checkTimeout(options?.timeout);
    this.open();
    const ready = this.#queue.shift();
    if (ready) return ready;
    const error = this.#error;
    this.#error = undefined;
    if (error) throw withCaller(error, this.recvFrom);
    if (this.#reader || this.#handler) throw new ConcurrentUseError('The input of this socket');
    const waiter = new Waiter<Datagram | typeof expired>('recvFrom()');
    this.#reader = waiter;
    try {
      const undo = (datagram: Datagram) => void this.#queue.unshift(datagram);
      const datagram = waitAtMost<Datagram>(waiter, options?.timeout, undefined, undo);
      if (datagram === expired) throw timedOut(options?.timeout);
      return datagram;
    } finally {
      this.#reader = undefined;
    }
  }

  /** Sends one datagram, parking until the kernel has it. @throws Node's errors (EMSGSIZE and so on) */
  sendTo(data: string | Uint8Array, to: DatagramAddress): void {
    this.open();
    park<void>((resume) => {
      this.#socket.send(data, to.port, to.address, (error) =>
        error ? resume.error(error) : resume(),
      );
    });
  }

  /** Gives every datagram to `handler`, outside any greenlet, in place of recvFrom(): for servers. */
  onDatagram(handler: ((datagram: Datagram) => void) | undefined): void {
    if (this.#reader) throw new ConcurrentUseError('The input of this socket');
    this.#handler = handler;
    if (handler) for (const datagram of this.#queue.splice(0)) handler(datagram);
  }

  /** Where it is bound; undefined before it is open. */
  get address(): DatagramAddress | undefined {
    return this.#opened && !this.#closed ? this.#socket.address() : undefined;
  }
  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.length = 0;
    this.#socket.close();
    this.#reader?.fail(new SocketClosedError('This socket'));
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
