/** listen(): accepting connections, with TLS if asked for. */
import {
  createServer,
  type Socket as NetSocket,
  type ListenOptions as NodeListenOptions,
  type Server,
} from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import {
  ConcurrentUseError,
  InvalidArgumentError,
  SocketClosedError,
  UnsupportedError,
} from '../errors.js';
import { timedOut } from '../greenlet/timeout.js';
import { park } from '../hub/park.js';
import { checkTimeout, expired, type TimeoutOption, waitAtMost } from '../hub/timed-wait.js';
import { Waiter } from '../hub/waiter.js';
import { inContextOfCaller } from '../loop/async-context.js';
import {
  type Callbacks,
  callAll,
  type Readable,
  withCallback,
  withoutCallback,
} from './selectable.js';
import { Socket } from './socket.js';

export interface ListenOptions {
  /** 0 for any free one. */
  port?: number;
  /** Default: all addresses. */
  host?: string;
  /** A Unix socket, in place of host and port. */
  path?: string;
  /** Connections that wait to be accepted, in the kernel and again here; default 511. */
  backlog?: number;
  /** TLS: the options of `tls.createServer`. */
  tls?: TlsOptions;
  /** Milliseconds for a TLS handshake; default 10,000. */
  handshakeTimeout?: number;
  /** Several processes share the port and the kernel spreads connections (Node 23.1 and later). */
  reusePort?: boolean;
  ipv6Only?: boolean;
  /** Small pieces are sent at once (TCP_NODELAY); default true. */
  noDelay?: boolean;
}

export type Address = { address: string; family: string; port: number } | string;

export interface ListenerStatistics {
  /** Connections given out by accept(), or to a handler. */
  accepted: number;
  /** Connections that were closed at once because too many were waiting. */
  dropped: number;
  /** TLS handshakes that failed or took too long. */
  handshakeFailures: number;
  /** Times that a connection could not be accepted: EMFILE, ENFILE, ENOBUFS, ENOMEM. */
  acceptFailures: number;
}

const defaultBacklog = 511;
const defaultHandshakeTimeout = 10_000;

type Handler = (socket: Socket) => void;
type StreamHandler = (stream: NetSocket) => void;

/** A listening socket. From `listen` or `standInListener`. */
export class Listener implements Disposable, Iterable<Socket>, Readable {
  readonly #server: Server;
  readonly #backlog: number;
  readonly #noDelay: boolean;
  readonly #waiting: Socket[] = [];
  /** Connections in their handshake, by their peer's address: the server forgets them. */
  readonly #handshaking = new Map<string, NetSocket>();
  #acceptor: Waiter<Socket | typeof expired> | undefined = undefined;
  #handler: Handler | undefined = undefined;
  #streamHandler: StreamHandler | undefined = undefined;
  /** Those in select(). */
  #selecting: Callbacks = undefined;
  #closed = false;
  #address: Address = '';
  readonly #counts = { accepted: 0, dropped: 0, handshakeFailures: 0, acceptFailures: 0 };

  /** For {@link listen}. */
  constructor(options: ListenOptions) {
    this.#backlog = options.backlog ?? defaultBacklog;
    this.#noDelay = options.noDelay ?? true;
    const stream = { allowHalfOpen: true, noDelay: this.#noDelay };
    const { tls } = options;
    if (tls) {
      const handshakeTimeout = options.handshakeTimeout ?? defaultHandshakeTimeout;
      const server = createTlsServer({ handshakeTimeout, ...stream, ...tls });
      server.on('connection', (raw) => this.#watchHandshake(raw));
      server.on('secureConnection', (connection) => {
        this.#handshaking.delete(peerOf(connection) ?? '');
        this.#accept(connection);
      });
      server.on('tlsClientError', (_error, connection) => {
        this.#counts.handshakeFailures++;
        connection.destroy();
      });
      this.#server = server;
    } else {
      this.#server = createServer(stream, (connection) => this.#accept(connection));
    }
  }

  #watchHandshake(raw: NetSocket): void {
    const peer = peerOf(raw);
    if (peer === undefined) return;
    this.#handshaking.set(peer, raw);
    raw.once('close', () => this.#handshaking.delete(peer));
  }

  /** For {@link listen}: parks until it listens. */
  open(options: ListenOptions): this {
    const { port, host, path, backlog = defaultBacklog, ipv6Only, reusePort } = options;
    const where = path === undefined ? { port, host, ipv6Only, reusePort } : { path };
    park<void>((resume) => {
      this.#server.once('error', resume.error);
      this.#server.listen({ ...where, backlog } as NodeListenOptions, () => resume());
      return () => this.#server.close();
    });
    this.#server.removeAllListeners('error');
    // Out of file descriptors: libuv has closed the connection with one that it keeps in reserve, so
    // the next attempt waits for the next connection and the loop does not spin.
    this.#server.on('error', () => this.#counts.acceptFailures++);
    this.#address = this.#server.address() as Address;
    return this;
  }

  /** For {@link standInListener}. */
  standIn(address: Address): this {
    this.#address = address;
    return this;
  }

  /** Treats a connection that another process has accepted as if it had been accepted here. */
  take(connection: NetSocket): void {
    // Streams that come from elsewhere are made with Node's defaults.
    connection.allowHalfOpen = true;
    if (connection.remotePort !== undefined) connection.setNoDelay(this.#noDelay);
    this.#server.emit('connection', connection);
  }

  #accept(connection: NetSocket): void {
    if (this.#streamHandler && !this.#closed) {
      this.#counts.accepted++;
      this.#streamHandler(connection);
      return;
    }
    const socket = new Socket(connection);
    if (this.#closed) socket.destroy();
    else if (this.#handler) this.#give(this.#handler, socket);
    else if (this.#acceptor?.wake(socket)) this.#counts.accepted++;
    else if (this.#waiting.length < this.#backlog) {
      this.#waiting.push(socket);
      this.#tellSelecting();
    } else this.drop(socket);
  }

  #give(handler: Handler, socket: Socket): void {
    this.#counts.accepted++;
    handler(socket);
  }

  /** Closes a connection that there is no room for. */
  drop(socket: Socket | NetSocket): void {
    this.#counts.dropped++;
    socket.destroy();
  }

  /**
   * The next connection, parking until there is one. One greenlet at a time: let it spawn those who serve,
   * or use a StreamServer.
   * @throws Timeout, ConcurrentUseError, SocketClosedError
   */
  accept(options?: TimeoutOption): Socket {
    checkTimeout(options?.timeout);
    const busy = this.#acceptor && !this.#acceptor.interrupted;
    if (busy || this.#handler || this.#streamHandler) throw new ConcurrentUseError('This listener');
    const ready = this.#nextWaiting();
    if (ready) return ready;
    if (this.#closed) throw new SocketClosedError('This listener');
    const waiter = new Waiter<Socket | typeof expired>('accept()');
    this.#acceptor = waiter;
    try {
      const undo = (socket: Socket) => {
        this.#waiting.unshift(socket);
        this.#counts.accepted--;
        this.#tellSelecting();
      };
      const socket = waitAtMost(waiter, options?.timeout, undefined, undo);
      if (socket === expired) throw timedOut(options?.timeout);
      return socket;
    } finally {
      if (this.#acceptor === waiter) this.#acceptor = undefined;
    }
  }

  // A client that has gone again while it waited is passed over.
  #nextWaiting(): Socket | undefined {
    for (let socket = this.#waiting.shift(); socket; socket = this.#waiting.shift()) {
      if (socket.stream.destroyed) continue;
      this.#counts.accepted++;
      return socket;
    }
    return undefined;
  }

  /** True when {@link accept} would not park: a connection waits, or the listener is closed. */
  get readable(): boolean {
    return this.#closed || this.#waiting.some(({ stream }) => !stream.destroyed);
  }

  /** Calls `callback` once, when {@link readable}. Returns how to call it off. */
  onceReadable(callback: () => void): () => void {
    this.#selecting = withCallback(this.#selecting, callback);
    if (this.readable) queueMicrotask(() => this.#tellSelecting());
    return () => {
      this.#selecting = withoutCallback(this.#selecting, callback);
    };
  }

  #tellSelecting(): void {
    const selecting = this.#selecting;
    this.#selecting = undefined;
    callAll(selecting);
  }

  /** Connections until the listener is closed. */
  *[Symbol.iterator](): IterableIterator<Socket> {
    while (!this.#closed || this.#waiting.length > 0) {
      try {
        yield this.accept();
      } catch (error) {
        if (!(error instanceof SocketClosedError)) throw error;
        return;
      }
    }
  }

  /**
   * Gives every connection to `handler` at once, outside any greenlet and in the AsyncLocalStorage context
   * of the caller, in place of `accept()`: for servers. Undefined: back to accept().
   */
  onConnection(handler: Handler | undefined): void {
    if (handler && this.#acceptor) throw new ConcurrentUseError('This listener');
    this.#handler = handler && inContextOfCaller(handler);
    if (handler)
      for (let socket = this.#nextWaiting(); socket; socket = this.#nextWaiting()) handler(socket);
  }

  /**
   * As {@link onConnection}, with the bare stream of Node's: for servers that have a protocol's own
   * reader and no use for a Socket. Nothing reads from it yet.
   */
  onStream(handler: StreamHandler): void {
    if (this.#acceptor) throw new ConcurrentUseError('This listener');
    this.#streamHandler = inContextOfCaller(handler);
    for (let socket = this.#nextWaiting(); socket; socket = this.#nextWaiting())
      handler(socket.detach() as NetSocket);
  }

  /** Where it listens: `{ address, family, port }`, or the path of a Unix socket. */
  get address(): Address {
    return this.#address;
  }
  get port(): number {
    return typeof this.#address === 'string' ? 0 : this.#address.port;
  }
  get closed(): boolean {
    return this.#closed;
  }

  statistics(): ListenerStatistics {
    return { ...this.#counts };
  }

  /** Stops listening, and closes what has not been accepted. Accepted connections live on. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#server.close();
    for (const raw of this.#handshaking.values()) raw.destroy();
    for (const socket of this.#waiting) socket.destroy();
    this.#waiting.length = 0;
    this.#acceptor?.fail(new SocketClosedError('This listener'));
    this.#tellSelecting();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function peerOf({ remoteAddress, remotePort }: NetSocket): string | undefined {
  return remotePort === undefined ? undefined : `${remoteAddress} ${remotePort}`;
}

function checkOptions(options: ListenOptions): void {
  const { port, path, reusePort } = options;
  if (
    path === undefined &&
    !(Number.isInteger(port) && Number(port) >= 0 && Number(port) <= 65_535)
  )
    throw new InvalidArgumentError('port', 'a whole number from 0 to 65535', port);
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (reusePort && (major < 23 || (major === 23 && minor < 1)))
    throw new UnsupportedError('reusePort', 'Node 23.1 or later');
}

/**
 * Listens, parking until the port is open.
 * @throws InvalidArgumentError, UnsupportedError, Node's errors with their codes (EADDRINUSE, EACCES)
 */
export function listen(options: ListenOptions): Listener {
  checkOptions(options);
  return new Listener(options).open(options);
}

/**
 * A listener without a port of its own: another process listens at `address` in its place and hands
 * connections over, and `take()` puts them in. For servers with several processes.
 */
export function standInListener(
  address: Address,
  options: Pick<ListenOptions, 'tls' | 'handshakeTimeout' | 'noDelay' | 'backlog'> = {},
): Listener {
  return new Listener(options).standIn(address);
}
