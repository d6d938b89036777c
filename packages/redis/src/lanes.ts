/** Lanes: a bounded pool of connections for commands that must not share one. */
import { ResourcePool, type ResourcePoolStatistics, type TimeoutOption } from '@tendril/core';
import { ClientClosedError, SocketTimeoutError } from 'redis';
import type { Blocking } from './blocking.js';
import { type Call, Lane, type LaneHost, type Send } from './lane.js';
import type { CommandOptions } from './raw.js';
import { reasonOf } from './stop.js';

export interface LanesOptions {
  max: number;
  acquireTimeout: number | undefined;
  idleTimeout?: number | undefined;
}

export class Lanes {
  /** Of the lanes that are lent from now on. */
  database: number;
  readonly #pool: ResourcePool<Lane>;

  constructor(host: LaneHost, database: number, options: LanesOptions) {
    this.database = database;
    this.#pool = new ResourcePool<Lane>({
      create: () => this.#open(host),
      destroy: (lane) => lane.destroy(),
      isUsable: (lane) => lane.isUsable && lane.database === this.database,
      needsReset: (lane) => lane.needsReset,
      reset: (lane) => lane.reset(),
      max: options.max,
      ...(options.acquireTimeout !== undefined && { acquireTimeout: options.acquireTimeout }),
      ...(options.idleTimeout !== undefined && { idleTimeout: options.idleTimeout }),
    });
  }

  #open(host: LaneHost): Lane {
    const lane = new Lane(host, this.database).connect();
    lane.raw.once('end', () => this.#pool.drop(lane));
    lane.raw.once('terminated', () => this.#pool.drop(lane));
    return lane;
  }

  /** @throws AcquireTimeoutError, PoolClosedError, and errors of connecting */
  acquire(): Lane {
    return this.#pool.acquire();
  }

  release(lane: Lane): void {
    this.#pool.release(lane);
  }

  exchange(send: Send): unknown {
    const lane = this.acquire();
    try {
      return lane.exchange(send);
    } finally {
      this.release(lane);
    }
  }

  exchangeBlocking(blocking: Blocking, call: Call, options: CommandOptions): unknown {
    const lane = this.acquire();
    try {
      return lane.exchangeBlocking(blocking, call, options);
    } finally {
      this.release(lane);
    }
  }

  /** Takes no more commands, ends those that block, and waits for the rest. */
  close(options: TimeoutOption): void {
    this.#pool.closeNow();
    for (const lane of this.#pool.lent()) lane.refuse(new ClientClosedError());
    this.#pool.close(options);
  }

  /** Called with errors of another connection to the same server. */
  suspect(given: unknown): void {
    const error = reasonOf(given);
    if (!(error instanceof SocketTimeoutError)) return;
    for (const lane of this.#pool.lent()) lane.suspect(error);
  }

  /** Ends everything at once. */
  destroy(): void {
    this.#pool.closeNow();
    for (const lane of this.#pool.lent()) lane.destroy();
  }

  statistics(): ResourcePoolStatistics {
    return this.#pool.statistics();
  }
}
