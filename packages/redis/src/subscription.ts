/** Subscription: messages of channels, one after the other. */
import {
  InvalidArgumentError,
  park,
  Queue,
  QueueEmpty,
  QueueShutDown,
  type TimeoutOption,
  withoutContext,
  withTimeout,
} from '@tendril/core';
import { OfflineError, SubscriptionOverflowError } from './errors.js';
import type { Listener, RawSubscriber } from './raw.js';

export interface Message<T = string> {
  readonly message: T;
  /** Where it was published; for a pattern, the channel that matched. */
  readonly channel: T;
}

export interface SubscribeOptions {
  /** Unread messages that are kept at most, default 10,000; one more ends the subscription. */
  maxMessages?: number;
  /** Messages and channels as Buffers. Default false: strings. */
  bufferMode?: boolean;
}

interface Hooks {
  onClose?: () => void;
  /** Milliseconds for the server to confirm it. */
  timeout: number;
}

/** CHANNELS by name, by PATTERN, or SHARDED. */
export type Kind = 'subscribe' | 'pSubscribe' | 'sSubscribe';
const undo = {
  subscribe: 'unsubscribe',
  pSubscribe: 'pUnsubscribe',
  sSubscribe: 'sUnsubscribe',
} as const;

const defaultMaxMessages = 10_000;
const ignore = () => {};
const late = Symbol('late');

/**
 * Iterates `{ message, channel }`, parking for the next. It ends when it is closed, and is closed when a
 * loop over it is left. Redis sends every message once: what is published while the connection is away
 * is lost, after which the subscription goes on.
 */
export class Subscription<T extends string | Buffer = string> implements Iterable<Message<T>> {
  readonly #raw: RawSubscriber;
  readonly #kind: Kind;
  readonly #channels: string[];
  readonly #maxMessages: number;
  readonly #bufferMode: boolean;
  readonly #messages = new Queue<Message<T>>();
  readonly #onClose: () => void;
  #error: unknown;
  #closed = false;

  readonly #listener: Listener = (message, channel) => {
    if (this.#closed) return;
    if (this.#messages.size >= this.#maxMessages)
      this.end(new SubscriptionOverflowError(this.#maxMessages));
    else this.#messages.putNowait({ message, channel } as unknown as Message<T>);
  };

  private constructor(
    raw: RawSubscriber,
    kind: Kind,
    channels: string | readonly string[],
    options: SubscribeOptions & Hooks,
  ) {
    const { maxMessages = defaultMaxMessages, bufferMode = false, onClose = ignore } = options;
    if (!(maxMessages >= 1))
      throw new InvalidArgumentError('maxMessages', 'a number from 1 on', maxMessages);
    this.#channels = [channels].flat() as string[];
    if (this.#channels.length === 0 || this.#channels.some((each) => typeof each !== 'string'))
      throw new InvalidArgumentError('channel', 'a string, or a list of some', channels);
    this.#raw = raw;
    this.#kind = kind;
    this.#maxMessages = maxMessages;
    this.#bufferMode = bufferMode;
    this.#onClose = onClose;
  }

  /**
   * For the clients: parks until the server has confirmed it.
   *
   * @throws OfflineError when the time is up
   */
  static open<T extends string | Buffer>(
    raw: RawSubscriber,
    kind: Kind,
    channels: string | readonly string[],
    options: SubscribeOptions & Hooks,
  ): Subscription<T> {
    const subscription = new Subscription<T>(raw, kind, channels, options);
    try {
      const start = () =>
        park<unknown>((resume) => {
          subscription.#start().then(resume, resume.error);
        });
      const { timeout } = options;
      if (withTimeout(timeout, start, { value: late }) === late)
        throw new OfflineError(timeout, undefined);
    } catch (error) {
      subscription.#closed = true;
      subscription.#stop();
      throw error;
    }
    return subscription;
  }

  #start(): Promise<unknown> {
    const start = () => this.#raw[this.#kind](this.#channels, this.#listener, this.#bufferMode);
    // Clusters and sentinels connect for the first of all.
    return withoutContext(start);
  }

  #stop(): void {
    const stop = undo[this.#kind];
    this.#raw[stop](this.#channels, this.#listener, this.#bufferMode).catch(ignore);
  }

  /**
   * The next message; undefined when `timeout` milliseconds have passed, or it is closed.
   * @throws SubscriptionOverflowError, after all messages before it; the error of a connection that was
   *   given up
   */
  receive(options?: TimeoutOption): Message<T> | undefined {
    try {
      return this.#messages.get(options);
    } catch (error) {
      if (error instanceof QueueEmpty) return undefined;
      if (!(error instanceof QueueShutDown)) throw error;
      if (this.#error) throw this.#error;
      return undefined;
    }
  }

  *[Symbol.iterator](): Generator<Message<T>, void, undefined> {
    try {
      for (let next = this.receive(); next; next = this.receive()) yield next;
    } finally {
      this.close();
    }
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Ends it: what has come can still be received, then `error` is thrown, if there is one. */
  end(error?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#error = error;
    this.#messages.shutdown();
    this.#stop();
    this.#onClose();
  }

  /** Works from everywhere. */
  close(): void {
    this.end();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
