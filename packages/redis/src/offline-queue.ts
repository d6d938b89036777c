/** OfflineQueue: the greenlets whose commands wait for a connection, within limits. */
import { ClientOfflineError } from 'redis';
import { OfflineError, OfflineQueueFullError } from './errors.js';
import type { Settings } from './options.js';

export class OfflineQueue {
  /** Why the connection is away. */
  lastError: unknown;
  readonly #settings: Pick<Settings, 'offlineQueue' | 'disableOfflineQueue'>;
  #waiting = 0;

  constructor(settings: Pick<Settings, 'offlineQueue' | 'disableOfflineQueue'>) {
    this.#settings = settings;
  }

  /**
   * Runs `wait`, which parks, with the milliseconds that are left, until it says true.
   *
   * @throws OfflineError when `timeout` milliseconds have passed since `since`, OfflineQueueFullError
   */
  wait(since: number, timeout: number, wait: (left: number) => boolean): void {
    const { offlineQueue, disableOfflineQueue } = this.#settings;
    if (disableOfflineQueue) throw new ClientOfflineError();
    if (this.#waiting >= offlineQueue) throw new OfflineQueueFullError(offlineQueue);
    this.#waiting++;
    try {
      for (;;) {
        const left = since + timeout - performance.now();
        if (left <= 0) throw new OfflineError(timeout, this.lastError);
        if (wait(left)) return;
      }
    } finally {
      this.#waiting--;
    }
  }
}
