/** StreamServer: a handler in a greenlet for each connection, or for each time that input comes. */
import { InvalidArgumentError } from '../errors.js';
import type { Address, Listener } from '../net/listener.js';
import type { Socket } from '../net/socket.js';
import { Event } from '../sync/event.js';
import { BaseServer, type BaseServerOptions } from './base-server.js';
import { type Listening, type ListeningOptions, openListening } from './listening.js';

export type StreamHandler = (socket: Socket, address: string | undefined) => void;

export interface StreamServerOptions extends BaseServerOptions, ListeningOptions {
  /**
   * What the handler is called for. `connection` (default): each connection, which is closed when the
   * handler returns. `input`: each time that there is something to read; it returns to let the
   * connection rest, which then has no greenlet and no stack.
   */
  per?: 'connection' | 'input';
  /** Connections at a time; those beyond are closed at once. Default 65,536. */
  maxConnections?: number;
  /**
   * Connections that wait for a place in the pool, open but unread; those beyond are closed at once.
   * Default 1,024.
   */
  maxWaiting?: number;
  /** Milliseconds for each call of a socket that parks; default none. */
  timeout?: number;
}

interface Connection {
  readonly socket: Socket;
  /** It waits for a place in the pool. */
  inLine: boolean;
  /** Its handler runs, or waits for a place. */
  busy: boolean;
  /** Its handler threw, or was killed. */
  failed: boolean;
  readonly work: () => void;
  readonly done: () => void;
}

/**
 * @example
 *     const server = new StreamServer(7777, (socket) => {
 *       for (const chunk of socket) socket.sendAll(chunk);
 *     });
 *     server.serveForever();
 */
export class StreamServer extends BaseServer {
  readonly #where: Listening;
  readonly #handler: StreamHandler;
  readonly #options: StreamServerOptions;
  readonly #connections = new Set<Connection>();
  /** Set while stop() waits for the last connection to go. */
  #emptied: Event | undefined;
  #listener: Listener | undefined;
  #waiting = 0;

  /** @throws InvalidArgumentError */
  constructor(where: Listening, handler: StreamHandler, options: StreamServerOptions = {}) {
    super(options);
    if (typeof handler !== 'function')
      throw new InvalidArgumentError('handler', 'a function', handler);
    const { per } = options;
    if (per !== undefined && per !== 'connection' && per !== 'input')
      throw new InvalidArgumentError('per', "'connection' or 'input'", per);
    this.#where = where;
    this.#handler = handler;
    this.#options = options;
  }

  protected override open(): void {
    this.#listener = openListening(this.#where, this.#options);
    this.#listener.onConnection((socket) => this.#connected(socket));
  }

  #connected(socket: Socket): void {
    const { maxConnections = 65_536, timeout, per } = this.#options;
    if (this.#connections.size >= maxConnections) {
      this.#listener?.drop(socket);
      return;
    }
    socket.timeout = timeout;
    const connection =
      per === 'input' ? this.#resting(socket) : this.#connection(socket, () => socket.close());
    this.#connections.add(connection);
    socket.stream.once('close', () => {
      this.#connections.delete(connection);
      if (this.#connections.size === 0) this.#emptied?.set();
    });
    if (per === 'input') connection.done();
    else this.#serve(connection);
  }

  /** Runs the handler once, in a greenlet, now or when there is room. */
  #serve(connection: Connection): void {
    connection.busy = true;
    const leave = this.handle(connection.work, connection.done);
    if (!leave) return;
    const { maxWaiting = 1024 } = this.#options;
    connection.inLine = true;
    this.#waiting++;
    if (this.#waiting <= maxWaiting) return;
    leave();
    this.#leaveLine(connection);
    this.#listener?.drop(connection.socket);
  }

  #leaveLine(connection: Connection): void {
    if (connection.inLine) this.#waiting--;
    connection.inLine = false;
  }

  // Made once for a connection, not once for each time that it has input.
  #connection(socket: Socket, after: () => void): Connection {
    const address = socket.remoteAddress;
    const connection: Connection = {
      socket,
      inLine: false,
      busy: false,
      failed: false,
      work: () => {
        this.#leaveLine(connection);
        if (socket.stream.destroyed) return; // went while it waited
        connection.failed = true;
        try {
          this.#handler(socket, address);
          connection.failed = false;
        } catch (error) {
          this.report(error);
        }
      },
      done: () => {
        this.#leaveLine(connection);
        connection.busy = false;
        if (connection.failed) socket.destroy();
        else after();
      },
    };
    return connection;
  }

  // Rests until there is input, without a greenlet; its end closes the connection.
  #resting(socket: Socket): Connection {
    const onInput = () => {
      if (socket.closed) return;
      if (socket.finished) socket.close();
      else this.#serve(connection);
    };
    const connection = this.#connection(socket, () => {
      if (this.closed) socket.close();
      else if (!socket.closed) socket.onceReadable(onInput);
    });
    return connection;
  }

  /** Where it listens; undefined before start(). */
  get address(): Address | undefined {
    return this.#listener?.address;
  }
  get port(): number {
    return this.#listener?.port ?? 0;
  }

  statistics(): {
    connections: number;
    active: number;
    waiting: number;
    accepted: number;
    dropped: number;
    handshakeFailures: number;
    acceptFailures: number;
  } {
    const zero = { accepted: 0, dropped: 0, handshakeFailures: 0, acceptFailures: 0 };
    return {
      connections: this.#connections.size,
      active: this.active,
      waiting: this.#waiting,
      ...(this.#listener?.statistics() ?? zero),
    };
  }

  protected override closeInput(): void {
    this.#listener?.close();
    // Connections at rest have nobody to wait for.
    for (const { busy, socket } of this.#connections) if (!busy) socket.close();
  }

  // What handlers have sent last goes out, within the time that is left; then no connection is.
  protected override finishRest(timeout: number): void {
    try {
      this.closeRest();
      if (this.#connections.size === 0) return;
      this.#emptied = new Event();
      this.#emptied.wait({ timeout });
    } finally {
      for (const { socket } of this.#connections) socket.destroy();
      this.#connections.clear();
    }
  }

  protected override closeRest(): void {
    for (const { socket } of this.#connections) socket.close();
  }
}
