/** Deployment: several servers behind one object; what clusters and sentinels have in common. */
import { EventEmitter } from 'node:events';
import { park, type TimeoutOption, withTimeout } from '@tendril/core';
import { ClientClosedError, type RedisArgument } from 'redis';
import type { Commander } from './attach.js';
import { type Blocking, keyOf } from './blocking.js';
import { connect, shut } from './connect.js';
import type { Call, LaneHost, Send } from './lane.js';
import { Lanes } from './lanes.js';
import type { CommandOptions, Raw } from './raw.js';
import { type Kind, type SubscribeOptions, Subscription } from './subscription.js';

export interface DeploymentOptions {
  readonly connectTimeout: number;
  readonly acquireTimeout: number | undefined;
  /** For each server. */
  readonly blockingConnections: number;
}

/** Milliseconds. */
const defaultCloseTimeout = 10_000;
/** How often a command that blocks is sent to where its key has moved. */
const redirections = 5;

/** The state of one, shared by its views. */
export class Deployment {
  readonly raw: Raw;
  readonly options: DeploymentOptions;
  readonly events = new EventEmitter();
  readonly subscriptions = new Set<Subscription<string | Buffer>>();
  /** By what identifies a server. */
  readonly lanes = new Map<unknown, Lanes>();
  readonly stop = new AbortController();

  constructor(raw: Raw, options: DeploymentOptions) {
    this.raw = raw;
    this.options = options;
    raw.on('error', (error) => this.onError(error));
  }

  onError(error: unknown): void {
    // An 'error' that nobody listens to would end the process.
    if (this.events.listenerCount('error') > 0) this.events.emit('error', error);
  }

  lanesOf(server: unknown, host: LaneHost): Lanes {
    const known = this.lanes.get(server);
    if (known) return known;
    const { acquireTimeout, blockingConnections: max } = this.options;
    const lanes = new Lanes(host, 0, { max, acquireTimeout });
    this.lanes.set(server, lanes);
    return lanes;
  }

  destroy(): void {
    for (const each of [...this.subscriptions]) each.close();
    for (const each of this.lanes.values()) each.destroy();
    shut(this.raw, this.stop);
  }
}

export abstract class DeploymentBase implements Commander {
  protected readonly deployment: Deployment;
  protected readonly commandOptions: CommandOptions;
  readonly #view: Raw;

  constructor(deployment: Deployment, given?: CommandOptions) {
    this.deployment = deployment;
    this.commandOptions = given ?? {};
    this.#view = given ? deployment.raw.withCommandOptions(given) : deployment.raw;
  }

  /** Connections for commands on `key` that block. Parks if need be. */
  protected abstract lanesFor(key: RedisArgument | undefined): Lanes;
  /** Finds out where `key` is now. */
  protected abstract refresh(key: RedisArgument | undefined): void;

  call({ send }: Call): unknown {
    return this.ask(send);
  }

  protected ask(send: Send): unknown {
    if (!this.deployment.raw.isOpen) throw new ClientClosedError();
    return park<unknown>((resume) => {
      send(this.#view).then(resume, resume.error);
    });
  }

  callBlocking(blocking: Blocking, call: Call): unknown {
    return this.block(blocking, keyOf(blocking, call.args), call);
  }

  protected block(blocking: Blocking, key: RedisArgument | undefined, call: Call): unknown {
    if (!this.deployment.raw.isOpen) throw new ClientClosedError();
    for (let left = redirections; ; left--) {
      try {
        return this.lanesFor(key).exchangeBlocking(blocking, call, this.commandOptions);
      } catch (error) {
        if (left <= 0 || !/^(MOVED|ASK|READONLY) /.test(String((error as Error).message)))
          throw error;
        this.refresh(key);
      }
    }
  }

  /** Parks until it is connected, at most `timeout` milliseconds (default socket.connectTimeout, 5 s). */
  connect(options?: TimeoutOption): this {
    const { raw, stop, options: own } = this.deployment;
    if (!raw.isOpen) connect(raw, stop, options?.timeout ?? own.connectTimeout);
    return this;
  }

  /**
   * Ends commands that block, waits for the replies of others, at most `timeout` milliseconds (default
   * 10 s), and closes for good.
   */
  close(options?: TimeoutOption): void {
    const deadline = performance.now() + (options?.timeout ?? defaultCloseTimeout);
    const left = () => ({ timeout: Math.max(0, deadline - performance.now()) });
    const { raw, lanes, subscriptions } = this.deployment;
    for (const each of [...subscriptions]) each.close();
    try {
      for (const each of lanes.values()) each.close(left());
      if (!raw.isOpen) return;
      const close = () => park<void>((resume) => void raw.close().then(resume, resume.error));
      withTimeout(left().timeout, close, { value: undefined });
    } finally {
      this.destroy();
    }
  }

  /** Closes at once; what is under way fails. Works from everywhere. */
  destroy(): void {
    this.deployment.destroy();
  }

  get isOpen(): boolean {
    return this.deployment.raw.isOpen;
  }

  #subscribe(kind: Kind, channels: string | readonly string[], options?: SubscribeOptions) {
    const { raw, subscriptions } = this.deployment;
    if (!raw.isOpen) throw new ClientClosedError();
    const onClose = () => subscriptions.delete(subscription);
    const subscription: Subscription<string | Buffer> = Subscription.open(raw, kind, channels, {
      ...options,
      onClose,
    });
    subscriptions.add(subscription);
    return subscription;
  }

  /** Iterates `{ message, channel }`; see Subscription. Parks until the server has confirmed it. */
  subscribe(channels: string | readonly string[], options?: SubscribeOptions) {
    return this.#subscribe('subscribe', channels, options);
  }
  pSubscribe(patterns: string | readonly string[], options?: SubscribeOptions) {
    return this.#subscribe('pSubscribe', patterns, options);
  }
  sSubscribe(channels: string | readonly string[], options?: SubscribeOptions) {
    return this.#subscribe('sSubscribe', channels, options);
  }

  /** `error` and the driver's others. Nobody has to listen. */
  on(event: string, listener: (...args: never[]) => void): this {
    const { events, raw } = this.deployment;
    (event === 'error' ? events : raw).on(event, listener as () => void);
    return this;
  }
  off(event: string, listener: (...args: never[]) => void): this {
    const { events, raw } = this.deployment;
    (event === 'error' ? events : raw).off(event, listener as () => void);
    return this;
  }

  /** The same with other options for its commands. */
  withCommandOptions(options: CommandOptions): this {
    const type = this.constructor as new (of: Deployment, given?: CommandOptions) => this;
    return new type(this.deployment, { ...this.commandOptions, ...options });
  }
  withTypeMapping(typeMapping: NonNullable<CommandOptions['typeMapping']>): this {
    return this.withCommandOptions({ typeMapping });
  }
}
