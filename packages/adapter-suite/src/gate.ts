/** Gate: a TCP proxy that can be shut, for half-open networks and slow ones. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface Target {
  readonly host: string;
  readonly port: number;
}

/** Listens on the loopback and forwards to `target`. */
export class Gate {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #frozen = false;
  #delay = 0;

  /** For {@link openGate}. */
  constructor(target: Target) {
    this.#server = createServer({ allowHalfOpen: true }, (near) => {
      const { host, port } = target;
      const far = connect({ host, port, allowHalfOpen: true });
      this.#forward(near, far);
      this.#forward(far, near);
    });
  }

  async open(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  #forward(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.setNoDelay();
    if (this.#frozen) from.pause();
    from.on('data', (chunk: Buffer) => {
      if (this.#delay > 0) setTimeout(() => to.write(chunk), this.#delay);
      else if (!to.write(chunk)) from.pause();
    });
    to.on('drain', () => {
      if (!this.#frozen) from.resume();
    });
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }

  get host(): string {
    return '127.0.0.1';
  }
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }
  /** Connections through it now. */
  get connections(): number {
    return this.#sockets.size / 2;
  }

  /** Forwards nothing more, in neither direction, and tells nobody: a half-open network. */
  freeze(): void {
    this.#frozen = true;
    for (const socket of this.#sockets) socket.pause();
  }
  /** Goes on. */
  thaw(): void {
    this.#frozen = false;
    for (const socket of this.#sockets) socket.resume();
  }
  /** Every piece takes so many milliseconds longer, in each direction. */
  slow(ms: number): void {
    this.#delay = ms;
  }
  /** Resets all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** A gate in front of `target`. */
export function openGate(target: Target): Promise<Gate> {
  return new Gate(target).open();
}
