// A proxy that knows where the messages of PostgreSQL's protocol (version 3) end, and can hold them back.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

const cancelCode = 80877102;

interface Target {
  readonly host: string;
  readonly port: number;
}

const firstType = (message: Buffer) =>
  message.readUInt32BE(4) === cancelCode ? 'cancel' : 'start';

/** Forwards to the real server, message by message. */
export class Wire {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #wanted: string | undefined;
  #held: { readonly type: string; readonly send: () => void }[] = [];
  /** Types of the clients' messages; those that have none are `start` and `cancel`. */
  readonly sent: string[] = [];
  /** Types of the server's, held or not. */
  readonly answered: string[] = [];

  /** For {@link openWire}. */
  constructor(target: Target) {
    this.#server = createServer((near) => {
      const far = connect(target.port, target.host);
      this.#forward(near, far, false);
      this.#forward(far, near, true);
    });
  }

  async open(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #forward(from: Socket, to: Socket, fromServer: boolean): void {
    this.#sockets.add(from);
    from.setNoDelay();
    // What a client says first has no type.
    let typed = fromServer;
    let rest: Buffer = Buffer.alloc(0);
    from.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (;;) {
        const head = typed ? 1 : 0;
        if (rest.length < head + 4) return;
        const size = head + rest.readUInt32BE(head);
        if (rest.length < size) return;
        const message = rest.subarray(0, size);
        rest = rest.subarray(size);
        const type = typed ? String.fromCharCode(message[0] as number) : firstType(message);
        typed = true;
        const send = () => void to.write(message);
        if (fromServer) this.#fromServer(type, send);
        else this.#fromClient(type, send);
      }
    });
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }

  #fromClient(type: string, send: () => void): void {
    this.sent.push(type);
    if (type === 'cancel' && this.#wanted === type) this.#held.push({ type, send });
    else send();
  }

  #fromServer(type: string, send: () => void): void {
    this.answered.push(type);
    const begun = this.#held.some((each) => each.type !== 'cancel');
    if (begun || type === this.#wanted) this.#held.push({ type, send });
    else send();
  }

  /** The server's next message of that type, and all of the server's after it; `cancel` alone. */
  hold(type: string): void {
    this.#wanted = type;
  }
  /** Types of those that are held. */
  get held(): readonly string[] {
    return this.#held.map(({ type }) => type);
  }
  release(): void {
    const held = this.#held;
    this.#wanted = undefined;
    this.#held = [];
    for (const { send } of held) send();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

export function openWire(target: Target): Promise<Wire> {
  return new Wire(target).open();
}
