/** A private server for tests, owned by a process of tools/services that ends with this one. */
import { type ChildProcess, spawn as spawnProcess } from 'node:child_process';
import { once } from 'node:events';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import { wait } from '@tendril/core';

export type ServiceKind = 'postgres' | 'mariadb' | 'redis' | 'memcached';

interface ServiceInfo {
  kind: ServiceKind;
  host: string;
  port: number;
  user?: string;
  password?: string;
  database?: string;
  /** The file of its certificate, which names localhost, if it speaks TLS. */
  ca?: string;
  /** Of the server itself. */
  pid: number;
}

const main = fileURLToPath(new URL('../../../tools/services/main.mjs', import.meta.url));

export class Service {
  readonly #owner: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #info: ServiceInfo | undefined;

  /** For {@link startService}. */
  constructor(kind: ServiceKind, args: readonly string[]) {
    this.#owner = spawnProcess(process.execPath, [main, kind, '--', ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const input = this.#owner.stdout as NodeJS.ReadableStream;
    this.#lines = readline.createInterface({ input })[Symbol.asyncIterator]();
  }

  /** For {@link startService}: resolves when the server answers. */
  async ready(): Promise<this> {
    const { done, value } = await this.#lines.next();
    if (done) throw new Error('The server did not start: see stderr.');
    this.#info = JSON.parse(value) as ServiceInfo;
    return this;
  }

  async #command(command: string): Promise<void> {
    this.#owner.stdin?.write(`${command}\n`);
    await this.ready();
  }

  get info(): ServiceInfo {
    return this.#info as ServiceInfo;
  }
  get host(): string {
    return this.info.host;
  }
  get port(): number {
    return this.info.port;
  }

  // Each parks in a greenlet; outside one use the promise of the same name.

  /** Ends the server by SIGKILL. */
  kill(): void {
    wait(this.#command('kill'));
  }
  /** Starts it again with the same port and data. Parks until it answers. */
  start(): void {
    wait(this.#command('start'));
  }
  /** Lets it stand still (SIGSTOP), and go on. */
  pause(): void {
    wait(this.#command('pause'));
  }
  resume(): void {
    wait(this.#command('resume'));
  }

  /** Ends the server and removes its data. Resolves when all is gone. */
  async stop(): Promise<void> {
    if (this.#owner.exitCode !== null) return;
    this.#owner.stdin?.end();
    await once(this.#owner, 'exit');
  }
}

/** Starts a private server on a free port of the loopback. `args` go to the server. */
export function startService(kind: ServiceKind, args: readonly string[] = []): Promise<Service> {
  return new Service(kind, args).ready();
}
