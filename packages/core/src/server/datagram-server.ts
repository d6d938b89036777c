/** DatagramServer: a handler in a greenlet for each datagram. */
import { InvalidArgumentError } from '../errors.js';
import { type DatagramAddress, type DatagramOptions, DatagramSocket } from '../net/datagram.js';
import { BaseServer, type BaseServerOptions } from './base-server.js';

export type DatagramHandler = (data: Buffer, address: DatagramAddress) => void;

export interface DatagramServerOptions extends BaseServerOptions {
  /** Datagrams that wait for a place in the pool; those beyond are dropped. Default 1,024. */
  maxWaiting?: number;
}

/** gevent.server.DatagramServer. Answers go out by {@link sendTo}. */
export class DatagramServer extends BaseServer {
  readonly #socket: DatagramSocket;
  readonly #handler: DatagramHandler;
  readonly #maxWaiting: number;
  #waiting = 0;
  /** Datagrams that there was no room for. */
  dropped = 0;

  /** @throws InvalidArgumentError */
  constructor(
    where: DatagramSocket | DatagramOptions | number,
    handler: DatagramHandler,
    options: DatagramServerOptions = {},
  ) {
    super(options);
    if (typeof handler !== 'function')
      throw new InvalidArgumentError('handler', 'a function', handler);
    this.#handler = handler;
    this.#maxWaiting = options.maxWaiting ?? 1024;
    this.#socket =
      where instanceof DatagramSocket
        ? where
        : new DatagramSocket(typeof where === 'number' ? { port: where } : where);
  }

  protected override open(): void {
    this.#socket.open();
    this.#socket.onDatagram(({ data, address }) => this.#received(data, address));
  }

  #received(data: Buffer, address: DatagramAddress): void {
    if (this.#waiting >= this.#maxWaiting) {
      this.dropped++;
      return;
    }
    this.#waiting++;
    let inLine = true;
    const leaveLine = () => {
      if (inLine) this.#waiting--;
      inLine = false;
    };
    this.handle(() => {
      leaveLine();
      try {
        this.#handler(data, address);
      } catch (error) {
        this.report(error);
      }
    }, leaveLine);
  }

  /** Sends one datagram from the server's own port. */
  sendTo(data: string | Uint8Array, to: DatagramAddress): void {
    this.#socket.sendTo(data, to);
  }

  /** Where it listens; undefined before start(). */
  get address(): DatagramAddress | undefined {
    return this.#socket.address;
  }
  get port(): number {
    return this.#socket.address?.port ?? 0;
  }

  // The socket stays open for the answers of those that run.
  protected override closeInput(): void {
    this.#socket.onDatagram(() => {});
  }

  protected override closeRest(): void {
    this.#socket.close();
  }
}
