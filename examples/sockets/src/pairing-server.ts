/**
 * Strangers in pairs: who comes waits for the next to come, and what one says the other hears. `/next`
 * looks for somebody else.
 *
 * The handler is called for input, so nobody who just listens has a greenlet or a stack.
 */
import { type Listening, StreamServer } from '@tendril/core/server';
import type { Socket } from '@tendril/core/socket';

const longestLine = 1000;

export class Pairing {
  readonly #partner = new Map<Socket, Socket>();
  #waiting: Socket | undefined;
  pairs = 0;

  /** For each piece of input. The first line of a user is `hello`. */
  readonly handle = (socket: Socket): void => {
    const line = socket.readLine({ max: longestLine, timeout: 10_000 });
    if (line === undefined) {
      socket.close();
      return;
    }
    if (line === 'hello' || line === '/next') {
      if (line === 'hello') socket.stream.once('close', () => this.#leave(socket, true));
      else this.#leave(socket, false);
      this.#pair(socket);
      return;
    }
    const partner = this.#partner.get(socket);
    if (partner) this.#send(partner, line);
    else this.#send(socket, '* nobody is there yet');
  };

  #pair(socket: Socket): void {
    const other = this.#waiting;
    if (!other || other === socket) {
      this.#waiting = socket;
      return;
    }
    this.#waiting = undefined;
    this.#partner.set(socket, other).set(other, socket);
    this.pairs++;
    this.#send(other, '* somebody is there');
    this.#send(socket, '* somebody is there');
  }

  #leave(socket: Socket, gone: boolean): void {
    if (this.#waiting === socket) this.#waiting = undefined;
    const partner = this.#partner.get(socket);
    this.#partner.delete(socket);
    if (!partner) return;
    this.#partner.delete(partner);
    // A closed connection is noticed outside any greenlet: the stream's own write does not park.
    if (!partner.closed) partner.stream.write(gone ? '* has gone\n' : '* has left\n');
  }

  #send(socket: Socket, line: string): void {
    if (!socket.closed) socket.sendAll(`${line}\n`, { timeout: 10_000 });
  }
}

export function pairingServer(where: Listening): { server: StreamServer; pairing: Pairing } {
  const pairing = new Pairing();
  const server = new StreamServer(where, pairing.handle, { per: 'input', maxConnections: 100_000 });
  return { server, pairing };
}
