/** A client: one connection, one request after the other, each answer looked at. */
import { connect, type Socket } from '@tendril/core/socket';

export class WrongAnswerError extends Error {}

export class Client implements Disposable {
  readonly #socket: Socket;

  constructor(port: number) {
    this.#socket = connect({ host: '127.0.0.1', port });
  }

  /** Asks for the page of `name`. @throws WrongAnswerError */
  get(name: string): void {
    this.#socket.sendAll(`GET /page/${name} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    const status = this.#socket.readLine();
    let length = 0;
    for (let line = this.#socket.readLine(); line; line = this.#socket.readLine())
      length = Number(/^content-length: (\d+)$/i.exec(line)?.[1] ?? length);
    const body = this.#socket.recvExactly(length).toString();
    if (status !== 'HTTP/1.1 200 OK' || !body.includes(`<h1>${name}</h1>`))
      throw new WrongAnswerError(`page ${name}: ${status}\n${body}`);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
