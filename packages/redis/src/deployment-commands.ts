/** DeploymentCommands: what clusters and sentinels can do, over a Deployment. */
import { park, type ResourcePoolStatistics, type TimeoutOption, withTimeout } from '@tendril/core';
import { ClientClosedError, type RedisArgument } from 'redis';
import type { Commander } from './attach.js';
import { type Blocking, blockingOf, blocks, keyOf } from './blocking.js';
import { connect } from './connect.js';
import { type Delivery, isRedirection } from './delivery.js';
import type { Deployment } from './deployment.js';
import type { Call, Send } from './lane.js';
import type { Args, CommandOptions, Raw } from './raw.js';
import { checkCommand } from './rules.js';
import { type Kind, type SubscribeOptions, Subscription } from './subscription.js';

/** Milliseconds. */
const defaultCloseTimeout = 10_000;
/** How often a command that blocks is sent to where its key has moved. */
const redirections = 5;
const asking = ['ASKING'];

/** Puts node-redis's prefix ahead of a key. */
function prefixed(prefix: RedisArgument | undefined, key: RedisArgument): RedisArgument {
  if (!prefix?.length) return key;
  if (typeof prefix === 'string' && typeof key === 'string') return prefix + key;
  return Buffer.concat([Buffer.from(prefix as string), Buffer.from(key as string)]);
}

export abstract class DeploymentCommands<D extends Deployment = Deployment> implements Commander {
  readonly scope = 'shared';
  protected readonly deployment: D;
  protected readonly commandOptions: CommandOptions & { timeout: number };
  readonly #given: CommandOptions | undefined;
  /** node-redis's object with the options of this view. */
  protected readonly view: Raw;

  constructor(deployment: D, given?: CommandOptions) {
    this.deployment = deployment;
    this.#given = given;
    this.commandOptions = { ...deployment.settings.commandOptions, ...given };
    this.view = deployment.raw.withCommandOptions({ ...this.commandOptions, timeout: undefined });
  }

  /** Has node-redis send something, in a way in which `delivery` guards it. */
  protected abstract guarded(send: Send, delivery: Delivery): Promise<unknown>;
  /** The node that has `key`, a whole one. */
  protected abstract locate(key: RedisArgument | undefined): Promise<Raw>;
  /** The node that an ASK names. */
  protected abstract locateAddress(address: string): Promise<Raw>;
  /** Finds out where `key` is now. */
  protected abstract refresh(key: RedisArgument | undefined): void;

  call({ send }: Call): unknown {
    return this.ask(send);
  }

  protected ask(send: Send): unknown {
    const { timeout } = this.commandOptions;
    return this.deployment.deliver((delivery) => this.guarded(send, delivery), timeout);
  }

  /** A command that is given as it goes out: by `send`, unless it blocks. */
  protected askOrBlock(
    key: RedisArgument | undefined,
    args: Args,
    options: CommandOptions | undefined,
    send: Send,
  ): unknown {
    checkCommand(args, this.scope);
    const blocking = blockingOf(String(args[0]));
    if (!blocking || !blocks(blocking, args)) return this.ask(send);
    const sendTo: Send = (node) => node.sendCommand(args, options);
    return this.block(blocking, key, { send: sendTo, args: args.slice(1) });
  }

  callBlocking(blocking: Blocking, call: Call): unknown {
    const key = keyOf(blocking, call.args);
    const whole = key === undefined ? key : prefixed(this.deployment.raw._keyPrefix, key);
    return this.block(blocking, whole, call);
  }

  protected block(blocking: Blocking, key: RedisArgument | undefined, call: Call): unknown {
    let command = blocking;
    let address: string | undefined;
    for (let left = redirections; ; left--) {
      try {
        const node = this.#ready(key, address);
        const lanes = this.deployment.nodes.lanesOf(node);
        return lanes.exchangeBlocking(command, call, this.commandOptions);
      } catch (error) {
        if (left <= 0 || !isRedirection(error)) throw error;
        const { message } = error as Error;
        const ask = message.startsWith('ASK ');
        address = ask ? message.slice(message.lastIndexOf(' ') + 1) : undefined;
        command = ask ? { ...blocking, before: asking } : blocking;
        if (!ask) this.refresh(key);
      }
    }
  }

  /** The node, connected. */
  #ready(key: RedisArgument | undefined, address: string | undefined): Raw {
    const start = (delivery: Delivery) => {
      const node = address === undefined ? this.locate(key) : this.locateAddress(address);
      return node.then(delivery.guard(async (ready) => ready));
    };
    return this.deployment.deliver(start, this.commandOptions.timeout) as Raw;
  }

  /** Parks until it is connected, at most `timeout` milliseconds (default socket.connectTimeout, 5 s). */
  connect(options?: TimeoutOption): this {
    const { raw, stop, settings } = this.deployment;
    if (!raw.isOpen) connect(raw, stop, options?.timeout ?? settings.connectTimeout);
    return this;
  }

  /**
   * Ends commands that block, waits for the replies of others, at most `timeout` milliseconds (default
   * 10 s), and closes for good.
   */
  close(options?: TimeoutOption): void {
    const deadline = performance.now() + (options?.timeout ?? defaultCloseTimeout);
    const left = () => ({ timeout: Math.max(0, deadline - performance.now()) });
    const { raw, nodes, subscriptions } = this.deployment;
    for (const each of [...subscriptions]) each.close();
    try {
      for (const each of nodes.all()) each.close(left());
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

  /** Of the connections for commands that block, for each server that has some. */
  statistics(): ResourcePoolStatistics[] {
    return this.deployment.nodes.all().map((lanes) => lanes.statistics());
  }

  #subscribe(kind: Kind, channels: string | readonly string[], options?: SubscribeOptions) {
    const { raw, settings, subscriptions } = this.deployment;
    if (!raw.isOpen) throw new ClientClosedError();
    const onClose = () => subscriptions.delete(subscription);
    const subscription: Subscription<string | Buffer> = Subscription.open(raw, kind, channels, {
      ...options,
      timeout: settings.connectTimeout,
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
    return new type(this.deployment, { ...this.#given, ...options });
  }
  withTypeMapping(typeMapping: NonNullable<CommandOptions['typeMapping']>): this {
    return this.withCommandOptions({ typeMapping });
  }
}
