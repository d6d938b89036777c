/** A client: one connection, one request after the other, each answer looked at. */
import { connect, type Socket } from '@tendril/core/socket';

export class WrongAnswerError extends Error {}

/** The server has closed a kept connection before it has said a word in answer. */
class ClosedError extends Error {}

const closedCodes = new Set<unknown>(['ECONNRESET', 'EPIPE']);

export class Client implements Disposable {
  readonly #port: number;
  #socket: Socket;

  constructor(port: number) {
    this.#port = port;
    this.#socket = this.#connect();
  }

  #connect(): Socket {
    return connect({ host: '127.0.0.1', port: this.#port });
  }

  /**
   * Asks for the page of `name`. A server whose event loop stands still may find a kept connection out of
   * time though a request lies in it unread: then it is asked again on a new one (RFC 9110, section 9.2.2).
   * @throws WrongAnswerError
   */
  get(name: string): void {
    try {
      this.#ask(name);
    } catch (error) {
      if (!(error instanceof ClosedError)) throw error;
      this.#socket.destroy();
      this.#socket = this.#connect();
      this.#ask(name);
    }
  }

  #ask(name: string): void {
    const status = this.#send(`GET /page/${name} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    let length = 0;
    for (let line = this.#socket.readLine(); line; line = this.#socket.readLine())
      length = Number(/^content-length: (\d+)$/i.exec(line)?.[1] ?? length);
    const body = this.#socket.recvExactly(length).toString();
    if (status !== 'HTTP/1.1 200 OK' || !body.includes(`<h1>${name}</h1>`))
      throw new WrongAnswerError(`page ${name}: ${status}\n${body}`);
  }

  /** Returns the first line of the answer. */
  #send(request: string): string {
    let status: string | undefined;
    try {
      this.#socket.sendAll(request);
      status = this.#socket.readLine();
    } catch (error) {
      if (!closedCodes.has((error as NodeJS.ErrnoException).code)) throw error;
    }
    if (status === undefined) throw new ClosedError();
    return status;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
