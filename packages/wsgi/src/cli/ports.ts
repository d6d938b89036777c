/** Ports: the addresses that the arbiter listens on, for as long as it lives. */
import { existsSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Address } from '@tendril/core/socket';
import { type Bind, parseBind } from './bind.js';
import type { Dispatcher } from './dispatcher.js';
import { codeOf, messageOf, SetupError } from './errors.js';
import { checkDescriptor } from './inherited.js';
import type { Logger } from './logger.js';

/** gunicorn's: a predecessor that is just leaving gets so many seconds. */
const attempts = 5;
const backlog = 2048;
/** Milliseconds between two complaints. */
const complainEvery = 1000;

function listening(server: Server, bind: Bind, mode: number | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const listen = () =>
      server.listen({ ...bind, backlog }, () => {
        server.off('error', reject);
        resolve();
      });
    if (bind.path === undefined || mode === undefined) {
      listen();
      return;
    }
    // bind(2) takes the umask into account, and listen() calls it before it returns: there is no
    // moment at which the socket is open to more than it shall be.
    const before = process.umask(0o777 & ~mode);
    try {
      listen();
    } finally {
      process.umask(before);
    }
  });
}

/** True if nobody listens on the socket: whoever did was killed, and could not remove it. */
function isStale(path: string): Promise<boolean> {
  if (!existsSync(path) || !lstatSync(path).isSocket()) return Promise.resolve(false);
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error) => resolve(codeOf(error) === 'ECONNREFUSED'));
  });
}

const inodeOf = (path: string) => lstatSync(path, { throwIfNoEntry: false })?.ino;

/** libuv removes whatever has the name of the socket that it closes: this keeps `path` where it is. */
function sparing(path: string, close: () => void): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    close(); // there is nothing to spare
    return;
  }
  close();
  renameSync(aside, path);
}

export class Ports {
  readonly #servers: Server[] = [];
  readonly #addresses: Address[] = [];
  /** Those of Unix. */
  readonly #files = new Map<Server, { path: string; inode: number | undefined }>();
  readonly #dispatcher: Dispatcher;
  readonly #logger: Logger;
  readonly #socketMode: number | undefined;
  #nextComplaint = 0;

  /** @param socketMode permission bits of sockets of Unix; those that the umask leaves if undefined */
  constructor(dispatcher: Dispatcher, logger: Logger, socketMode?: number) {
    this.#socketMode = socketMode;
    this.#dispatcher = dispatcher;
    this.#logger = logger;
  }

  /** Listens on all of them. @throws SetupError */
  async open(binds: readonly string[]): Promise<Address[]> {
    try {
      for (const [index, text] of binds.entries()) await this.#open(text, index);
    } catch (error) {
      this.close();
      throw error;
    }
    return this.#addresses;
  }

  async #open(text: string, index: number): Promise<void> {
    const bind = parseBind(text);
    const inheritedPath = bind.fd === undefined ? undefined : checkDescriptor(bind.fd);
    // Paused and half open: not a byte is read or answered on this side.
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {});
      this.#dispatcher.offer({ socket, index });
    });
    for (let attempt = 1; ; attempt++) {
      try {
        await listening(server, bind, this.#socketMode);
        break;
      } catch (error) {
        await this.#retry(text, bind, attempt, error);
      }
    }
    server.on('error', (error) => this.#complain(error));
    this.#servers.push(server);
    const { path } = bind;
    if (path !== undefined) this.#files.set(server, { path, inode: inodeOf(path) });
    // Node knows no address of an inherited socket of Unix.
    this.#addresses.push((server.address() as Address | null) ?? inheritedPath ?? text);
  }

  // Out of file descriptors: libuv closes what has come, with a spare one, and the next attempt is
  // made with the next connection.
  #complain(error: Error): void {
    const now = performance.now();
    if (now < this.#nextComplaint) return;
    this.#nextComplaint = now + complainEvery;
    this.#logger.error(`Accepting failed: ${error.message}`);
  }

  async #retry(text: string, bind: Bind, attempt: number, error: unknown): Promise<void> {
    if (codeOf(error) !== 'EADDRINUSE' || attempt >= attempts)
      throw new SetupError(`Cannot listen on ${text}: ${messageOf(error)}.`, { cause: error });
    if (bind.path !== undefined && (await isStale(bind.path))) {
      unlinkSync(bind.path);
      return;
    }
    this.#logger.error(`Connection in use: ${text}`);
    this.#logger.error('Retrying in 1 second.');
    await delay(1000);
  }

  /** Accepts no more; removes the sockets of Unix, unless a successor has made its own in their place. */
  close(): void {
    for (const server of this.#servers) {
      const own = this.#files.get(server);
      if (own === undefined || own.inode === inodeOf(own.path)) server.close();
      else sparing(own.path, () => server.close());
    }
    this.#files.clear();
  }
}
