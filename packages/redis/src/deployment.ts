/** Deployment: several servers behind one object; the state of a cluster or a sentinel and its views. */
import { EventEmitter } from 'node:events';
import { park, withoutContext } from '@tendril/core';
import { ClientClosedError } from 'redis';
import { shut } from './connect.js';
import { Delivery, isAway } from './delivery.js';
import { OfflineError, PartlySentError, withCode } from './errors.js';
import { Nodes } from './nodes.js';
import { OfflineQueue } from './offline-queue.js';
import type { Settings } from './options.js';
import type { Raw } from './raw.js';
import { reasonOf, Stop } from './stop.js';
import type { Subscription } from './subscription.js';

/** Milliseconds after which a command that waits for its node asks whether another one has its place. */
const lookAgain = 500;
/** Milliseconds to the next attempt when nothing tells when it is worth one. */
const pause = 50;

export type Start = (delivery: Delivery) => Promise<unknown>;

export abstract class Deployment {
  readonly raw: Raw;
  readonly settings: Settings;
  readonly events = new EventEmitter();
  readonly subscriptions = new Set<Subscription<string | Buffer>>();
  readonly nodes: Nodes;
  readonly stop = new Stop();
  readonly #offline: OfflineQueue;

  constructor(raw: Raw, settings: Settings) {
    this.raw = raw;
    this.settings = settings;
    this.#offline = new OfflineQueue(settings);
    this.nodes = new Nodes(settings, raw._keyPrefix, (error) => this.onError(error));
    raw.on('error', (error) => this.onError(error));
  }

  /** Asks the servers who has which place now. Called often: it has to limit itself. */
  protected abstract lookAround(): void;

  onError(given: unknown): void {
    const error = reasonOf(given);
    this.#offline.lastError = error;
    // An 'error' that nobody listens to would end the process.
    if (this.events.listenerCount('error') > 0) this.events.emit('error', error);
  }

  protected onNodeError(error: unknown): void {
    this.#offline.lastError = reasonOf(error);
  }

  /**
   * Starts a command, again while its node is away and nothing of it was carried out, and parks for its
   * reply. It has to find a connection within `timeout` milliseconds, and is never sent later.
   *
   * @throws OfflineError, OfflineQueueFullError, PartlySentError, ClientClosedError, and what the command fails with
   */
  deliver(start: Start, timeout: number): unknown {
    const since = performance.now();
    for (;;) {
      if (!this.raw.isOpen) throw new ClientClosedError();
      const delivery = new Delivery();
      try {
        return this.#attempt(delivery, start, since, timeout);
      } catch (error) {
        // Nor shall the nodes that come back meanwhile get what is left of it.
        delivery.giveUp();
        if (!this.raw.isOpen || !isAway(error)) throw error;
        if (delivery.isHanded) throw new PartlySentError(this.#offline.lastError);
        if (!delivery.away) this.onNodeError(error);
        this.#await(delivery.away, since, timeout);
      }
    }
  }

  #attempt(delivery: Delivery, start: Start, since: number, timeout: number): unknown {
    return park<unknown>((resume) => {
      let timer: NodeJS.Timeout;
      const end = () => {
        clearTimeout(timer);
        delivery.giveUp();
      };
      const look = () => {
        const left = since + timeout - performance.now();
        if (delivery.isHanded) return;
        if (left <= 0) fail();
        else {
          this.lookAround();
          timer = setTimeout(look, Math.min(lookAgain, left));
        }
      };
      const fail = () => {
        end();
        resume.error(new OfflineError(timeout, this.#offline.lastError));
      };
      // Whoever needs a node first has it connected, for all.
      const done = withoutContext(() => start(delivery));
      timer = setTimeout(look, Math.min(lookAgain, timeout));
      done
        .finally(() => clearTimeout(timer))
        .then(resume, (error) => resume.error(withCode(error)));
      return end;
    });
  }

  /** Parks until `node` is back, or has been dropped. */
  #await(node: Raw | undefined, since: number, timeout: number): void {
    if (node) this.nodes.watch(node);
    const { changed } = this.nodes;
    this.#offline.wait(since, timeout, (left) => {
      if (!this.raw.isOpen) throw new ClientClosedError();
      if (node?.isReady) return true;
      if (node?.isOpen) {
        changed.wait({ timeout: Math.min(lookAgain, left) });
        this.lookAround();
        return !node.isOpen || node.isReady;
      }
      changed.wait({ timeout: Math.min(pause, left) });
      return true;
    });
  }

  destroy(): void {
    for (const each of [...this.subscriptions]) each.close();
    for (const each of this.nodes.all()) each.destroy();
    shut(this.raw, this.stop);
    this.nodes.notify();
  }
}
