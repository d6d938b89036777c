/** ClientPool: a connection for every command, as long as it takes. */
import type { TimeoutOption } from '@tendril/core';
import { ClientClosedError } from 'redis';
import type { Blocking } from './blocking.js';
import { HostCommands } from './host-commands.js';
import type { Call } from './lane.js';
import type { Lanes } from './lanes.js';
import type { PoolHost } from './pool-host.js';
import type { Raw } from './raw.js';
import { type SessionBase, withSession } from './session.js';

/** Milliseconds. */
const defaultCloseTimeout = 10_000;

export class ClientPoolBase extends HostCommands<PoolHost> {
  protected get model(): Raw {
    return this.host.model;
  }

  #lanes(): Lanes {
    if (!this.host.lanes) throw new ClientClosedError();
    return this.host.lanes;
  }

  call({ send }: Call): unknown {
    return this.#lanes().exchange((raw) => send(this.view(raw)));
  }

  callBlocking(blocking: Blocking, call: Call): unknown {
    return this.#lanes().exchangeBlocking(blocking, call, this.commandOptions);
  }

  /** Opens `minimum` connections. @throws errors of connecting */
  connect(): this {
    this.host.connect();
    return this;
  }

  /** Ends commands that block, and waits for others, at most `timeout` milliseconds (default 10 s). */
  close(options?: TimeoutOption): void {
    this.host.close(options?.timeout ?? defaultCloseTimeout);
  }

  /** Closes at once; what is under way fails. Works from everywhere. */
  destroy(): void {
    this.host.destroy();
  }

  /** Runs `fn` with a connection that nobody else uses meanwhile. */
  execute<R>(fn: (session: SessionBase) => R): R {
    return withSession(this.#lanes(), this.model, this.commandOptions, fn);
  }

  get isOpen(): boolean {
    return this.host.lanes !== undefined;
  }
  get idleClients(): number {
    return this.host.lanes?.statistics().idle ?? 0;
  }
  get clientsInUse(): number {
    return this.totalClients - this.idleClients;
  }
  get totalClients(): number {
    return this.host.lanes?.statistics().size ?? 0;
  }
  /** Greenlets that wait for a connection. */
  get tasksQueueLength(): number {
    return this.host.lanes?.statistics().waiting ?? 0;
  }
}
