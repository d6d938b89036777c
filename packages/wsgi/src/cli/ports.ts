/** Ports: the addresses that the arbiter listens on, for as long as it lives. */
import { existsSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Address } from '@tendril/core/socket';
import { type Bind, parseBind } from './bind.js';
import type { Dispatcher } from './dispatcher.js';
import { codeOf, messageOf, SetupError } from './errors.js';
import type { Logger } from './logger.js';

/** gunicorn's: a predecessor that is just leaving gets so many seconds. */
const attempts = 5;
const backlog = 2048;

function listening(server: Server, bind: Bind): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...bind, backlog }, () => {
      server.off('error', reject);
      resolve();
    });
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

export class Ports {
  readonly #servers: Server[] = [];
  readonly #dispatcher: Dispatcher;
  readonly #logger: Logger;

  constructor(dispatcher: Dispatcher, logger: Logger) {
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
    return this.#servers.map((server) => server.address() as Address);
  }

  async #open(text: string, index: number): Promise<void> {
    const bind = parseBind(text);
    // Paused and half open: not a byte is read or answered on this side.
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {});
      this.#dispatcher.offer({ socket, index });
    });
    for (let attempt = 1; ; attempt++) {
      try {
        await listening(server, bind);
        break;
      } catch (error) {
        await this.#retry(text, bind, attempt, error);
      }
    }
    // Out of file descriptors: the next attempt comes with the next connection.
    server.on('error', (error) => this.#logger.error(`Accepting failed: ${error.message}`));
    this.#servers.push(server);
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

  /** Accepts no more; removes the sockets of Unix. */
  close(): void {
    for (const server of this.#servers) server.close();
  }
}
