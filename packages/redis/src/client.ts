/** Client: one connection for all greenlets, and others for commands that block. */
import {
  InvalidArgumentError,
  park,
  type ResourcePoolStatistics,
  type TimeoutOption,
} from '@tendril/core';
import type { Blocking } from './blocking.js';
import type { Connection } from './connection.js';
import { withCode } from './errors.js';
import { HostCommands } from './host-commands.js';
import type { Call } from './lane.js';
import type { Raw } from './raw.js';
import { type SessionBase, withSession } from './session.js';
import type { SubscribeOptions } from './subscription.js';

/** Milliseconds. */
const defaultCloseTimeout = 10_000;

export class ClientBase extends HostCommands<Connection> {
  protected get model(): Raw {
    return this.host.raw;
  }

  call({ send }: Call): unknown {
    const raw = this.view(this.host.ready(this.commandOptions.timeout));
    return park<unknown>((resume) => {
      // When the greenlet is killed the reply is dropped: node-redis keeps the order of the rest.
      send(raw).then(resume, (error) => resume.error(withCode(error)));
    });
  }

  callBlocking(blocking: Blocking, call: Call): unknown {
    return this.host.lanes.exchangeBlocking(blocking, call, this.commandOptions);
  }

  /**
   * Parks until it is connected, at most `timeout` milliseconds (default socket.connectTimeout, 5 s).
   * Does nothing when it is.
   * @throws the last error when the time is up, with Node's code if it has one; what the server refuses
   */
  connect(options?: TimeoutOption): this {
    this.host.connect(options?.timeout);
    return this;
  }

  /**
   * Ends commands that block, waits for the replies of others, at most `timeout` milliseconds (default
   * 10 s), and closes. What comes later fails with ClientClosedError.
   */
  close(options?: TimeoutOption): void {
    this.host.close(options?.timeout ?? defaultCloseTimeout);
  }

  /** Closes at once; what is under way fails. Works from everywhere. */
  destroy(): void {
    this.host.destroy();
  }

  get isOpen(): boolean {
    return this.model.isOpen;
  }
  get isReady(): boolean {
    return this.model.isReady;
  }

  /** Another database, for all greenlets that use this client. */
  select(database: number): void {
    if (!(Number.isInteger(database) && database >= 0))
      throw new InvalidArgumentError('database', 'a whole number from 0 on', database);
    this.call({ send: (raw) => raw.select(database), args: [] });
    this.host.lanes.database = database;
  }
  SELECT(database: number): void {
    this.select(database);
  }

  /** Runs `fn` with a connection that nobody else uses meanwhile. */
  execute<R>(fn: (session: SessionBase) => R): R {
    return withSession(this.host.lanes, this.model, this.commandOptions, fn);
  }

  // With commands that wait for a message there is no reply to park for: hence iterators.

  /** Iterates `{ message, channel }`; see Subscription. Parks until the server has confirmed it. */
  subscribe(channels: string | readonly string[], options?: SubscribeOptions) {
    return this.host.subscriber.subscribe('subscribe', channels, options);
  }
  pSubscribe(patterns: string | readonly string[], options?: SubscribeOptions) {
    return this.host.subscriber.subscribe('pSubscribe', patterns, options);
  }
  sSubscribe(channels: string | readonly string[], options?: SubscribeOptions) {
    return this.host.subscriber.subscribe('sSubscribe', channels, options);
  }

  /** Of the connections for commands that block. */
  statistics(): ResourcePoolStatistics {
    return this.host.lanes.statistics();
  }
}
