/** What node:http, and so llhttp in strict mode, makes of bytes. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { Duplex } from 'node:stream';

export interface Seen {
  requests: { line: string; fields: string[]; body: string; whole: boolean }[];
  /** llhttp's code (HPE_…), or node's status for what it refuses itself. */
  error?: string;
  /** No request after the last one is looked at. */
  closed: boolean;
}

class Wire extends Duplex {
  override _read(): void {}
  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    done();
  }
  // node:http treats it as a socket.
  setTimeout(): this {
    return this;
  }
}

const seenBy = new WeakMap<object, Seen>();

function take(seen: Seen, request: IncomingMessage): void {
  const fields: string[] = [];
  const { rawHeaders } = request;
  for (let i = 0; i < rawHeaders.length; i += 2)
    fields.push(`${rawHeaders[i]?.toLowerCase()}: ${rawHeaders[i + 1]}`);
  const one = {
    line: `${request.method} ${request.url} HTTP/${request.httpVersion}`,
    fields,
    body: '',
    whole: false,
  };
  seen.requests.push(one);
  request.on('data', (chunk: Buffer) => {
    one.body += chunk.toString('latin1');
  });
  request.on('end', () => {
    one.whole = request.complete;
  });
}

/** A node:http server that looks at bytes; nothing listens. */
export class Llhttp {
  readonly #server: Server;

  constructor() {
    this.#server = createServer(
      { insecureHTTPParser: false, maxHeaderSize: 66_000, requireHostHeader: false },
      (request, response) => {
        const seen = seenBy.get(request.socket) as Seen;
        take(seen, request);
        if (response.shouldKeepAlive === false) seen.closed = true;
        response.end();
      },
    );
    this.#server.maxHeadersCount = 0;
    this.#server.on('checkContinue', (request, response) =>
      this.#server.emit('request', request, response),
    );
    this.#server.on('checkExpectation', (request, response) =>
      this.#server.emit('request', request, response),
    );
    for (const event of ['upgrade', 'connect'] as const)
      this.#server.on(event, (request: IncomingMessage, socket: Duplex) => {
        const seen = seenBy.get(socket) as Seen;
        take(seen, request);
        seen.closed = true;
      });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      const seen = seenBy.get(socket) as Seen;
      seen.error ??= error.code ?? error.message;
      socket.destroy();
    });
  }

  async parse(bytes: Buffer): Promise<Seen> {
    const wire = new Wire();
    const seen: Seen = { requests: [], closed: false };
    seenBy.set(wire, seen);
    this.#server.emit('connection', wire);
    wire.push(bytes);
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    wire.destroy();
    return seen;
  }

  close(): void {
    this.#server.close();
    // Its timer of stalled connections runs from the first one on, listening or not.
    this.#server.closeAllConnections();
  }
}
