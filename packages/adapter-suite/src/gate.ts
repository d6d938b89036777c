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
  /** Both ends of connections that forward nothing more, ever. */
  readonly #silent = new WeakSet<Socket>();
  /** The server's ends of all connections. */
  readonly #far = new WeakSet<Socket>();
  #accepted = 0;
  #frozen = false;
  #holding = false;
  #delay = 0;

  /** For {@link openGate}. */
  constructor(target: Target) {
    this.#server = createServer({ allowHalfOpen: true }, (near) => {
      this.#accepted++;
      const { host, port } = target;
      const far = connect({ host, port, allowHalfOpen: true });
      this.#far.add(far);
      this.#forward(near, far, 'client');
      this.#forward(far, near, 'server');
    });
  }

  async open(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  #forward(from: Socket, to: Socket, sender: 'client' | 'server'): void {
    this.#sockets.add(from);
    from.setNoDelay();
    if (this.#stands(from)) from.pause();
    from.on('data', (chunk: Buffer) => {
      if (this.#silent.has(from)) return;
      if (this.#delay > 0) setTimeout(() => this.#silent.has(to) || to.write(chunk), this.#delay);
      else if (!to.write(chunk)) from.pause();
    });
    to.on('drain', () => {
      if (!this.#stands(from)) from.resume();
    });
    // What the server says reaches nobody any more, not even its end. That the client has left the server
    // finds out in the end, by its own means: at once here, so that tests need not wait for it.
    const left = (end: () => void) => {
      if (!this.#silent.has(from)) end();
      else if (sender === 'client') to.destroy();
    };
    from.on('end', () => left(() => to.end()));
    from.on('error', () => left(() => to.destroy()));
    from.on('close', () => {
      this.#sockets.delete(from);
      left(() => to.destroy());
    });
  }

  #stands(from: Socket): boolean {
    return this.#frozen || (this.#holding && this.#far.has(from));
  }

  #apply(): void {
    for (const socket of this.#sockets)
      if (this.#stands(socket)) socket.pause();
      else socket.resume();
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

  /** Connections that were made through it, ever. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Forwards nothing more, in neither direction, and tells nobody: a half-open network. */
  freeze(): void {
    this.#frozen = true;
    this.#apply();
  }
  /** Goes on. */
  thaw(): void {
    this.#frozen = false;
    this.#apply();
  }
  /** The server hears everything, and what it says is kept back. */
  hold(): void {
    this.#holding = true;
    this.#apply();
  }
  /** What was kept back goes on its way. */
  letGo(): void {
    this.#holding = false;
    this.#apply();
  }
  /**
   * The connections that there are now forward nothing more, in neither direction, for good, and nobody is
   * told: a firewall that has forgotten them. Those made later are well.
   */
  silence(): void {
    for (const socket of this.#sockets) {
      this.#silent.add(socket);
      socket.resume(); // what comes is swallowed
    }
  }
  /** Every piece takes so many milliseconds longer, in each direction. */
  slow(ms: number): void {
    this.#delay = ms;
  }
  /** Resets all connections but the silent ones, whose ends hear of nothing. */
  cut(): void {
    for (const socket of this.#sockets) if (!this.#silent.has(socket)) socket.resetAndDestroy();
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
