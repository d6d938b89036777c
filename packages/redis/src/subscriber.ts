/** Subscriber: the connection of all subscriptions of a client, there as long as there are any. */
import { Semaphore } from '@tendril/core';
import { ClientClosedError } from 'redis';
import { connect, shut } from './connect.js';
import { withCode } from './errors.js';
import { Pulse } from './pulse.js';
import type { Raw } from './raw.js';
import { Stop } from './stop.js';
import { type Kind, type SubscribeOptions, Subscription } from './subscription.js';

export interface SubscriberHost {
  duplicate(signal: AbortSignal): Raw;
  readonly connectTimeout: number;
  readonly silenceLimit: number;
}

const ignore = () => {};

export class Subscriber {
  readonly #host: SubscriberHost;
  readonly #opening = new Semaphore(1);
  readonly #subscriptions = new Set<Subscription<string | Buffer>>();
  #raw: Raw | undefined;
  #stop = new Stop();
  #users = 0;
  #closed = false;

  constructor(host: SubscriberHost) {
    this.#host = host;
  }

  /** Parks until the server has confirmed it. */
  subscribe<T extends string | Buffer>(
    kind: Kind,
    channels: string | readonly string[],
    options?: SubscribeOptions,
  ): Subscription<T> {
    this.#users++;
    try {
      const subscription: Subscription<T> = Subscription.open(this.#open(), kind, channels, {
        ...options,
        timeout: this.#host.connectTimeout,
        onClose: () => {
          this.#subscriptions.delete(subscription as Subscription<string | Buffer>);
          this.#leave();
        },
      });
      this.#subscriptions.add(subscription as Subscription<string | Buffer>);
      return subscription;
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  #open(): Raw {
    this.#opening.acquire();
    try {
      if (this.#closed) throw new ClientClosedError();
      if (this.#raw) return this.#raw;
      this.#stop = new Stop();
      const raw = this.#host.duplicate(this.#stop.signal);
      new Pulse(raw, this.#host.silenceLimit);
      raw.on('error', ignore);
      raw.on('terminated', (error) => this.#fail(withCode(error)));
      connect(raw, this.#stop, this.#host.connectTimeout);
      if (this.#closed) {
        shut(raw, this.#stop);
        throw new ClientClosedError();
      }
      this.#raw = raw;
      return raw;
    } finally {
      this.#opening.release();
    }
  }

  #leave(): void {
    this.#users--;
    if (this.#users > 0 || !this.#raw) return;
    shut(this.#raw, this.#stop);
    this.#raw = undefined;
  }

  /** It will not reconnect any more. */
  #fail(error: unknown): void {
    for (const each of [...this.#subscriptions]) each.end(error);
  }

  /** Ends all subscriptions. */
  close(): void {
    this.#closed = true;
    for (const each of [...this.#subscriptions]) each.close();
    if (this.#raw) shut(this.#raw, this.#stop);
    this.#raw = undefined;
  }
}
