/** Session: one connection, one operation at a time, clean again after each. */
import type { Socket } from 'node:net';
import {
  ConcurrentUseError,
  Event,
  type Greenlet,
  getCurrent,
  Semaphore,
  Timeout,
} from '@tendril/core';
import type { QueryResult } from 'pg';
import { cancelRequest } from './cancel.js';
import { connectRaw, makeRaw, type RawClient, submit } from './driver.js';
import { ClientClosedError, ConnectionLostError, ConnectTimeoutError } from './errors.js';
import type { Operation } from './operation.js';
import { type ClientOptions, connectionTimeout } from './options.js';
import { type QueryInput, runAside, runQuery } from './query.js';
import { grace, type Patient, Recovery } from './recovery.js';

/** For the server to take a goodbye. */
const goodbye = 1000;

const ignore = () => {};

export class Session implements Patient {
  readonly raw: RawClient;
  /** Of `performance.now()`. */
  readonly born = performance.now();
  /** How often a pool has lent it. */
  uses = 0;
  /** Set when nothing of it is left: no connection, no cancel request. */
  readonly gone = new Event();
  /** Called once when the connection has ended. */
  onLost: (() => void) | undefined;
  readonly #options: ClientOptions;
  readonly #connectTimeout: number | undefined;
  /** Milliseconds; 0 for none. */
  readonly queryTimeout: number;
  /** Held from the start of an operation until the server is done with it. Not with `pipeline`. */
  readonly #lock = new Semaphore(1);
  #held = false;
  /** Who holds the lock for longer than a query, and would wait for itself. */
  #owner: Greenlet | undefined;
  /** Sent and not ended, in the order of their answers. */
  #flight: Operation[] = [];
  #recovery: Recovery | undefined;
  #whenClean: ((clean: boolean) => void)[] = [];
  #connected = false;
  #address: string | undefined;
  #ending = false;
  /** Why it is going to be lost. */
  #cause: Error | undefined;
  #lost: Error | undefined;
  #cancels = 0;
  #farewell: NodeJS.Timeout | undefined;

  /** @throws InvalidArgumentError, and what pg throws for its options */
  constructor(options: ClientOptions) {
    this.#options = options;
    this.#connectTimeout = connectionTimeout(options);
    this.raw = makeRaw(options);
    const parameters = this.raw.connectionParameters;
    this.queryTimeout = Number(parameters.query_timeout) || 0;
    parameters.query_timeout = false;
    this.raw.on('error', (error: Error) => this.#broken(error));
    if (options.onNotice) this.raw.on('notice', options.onNotice as () => void);
    this.raw.connection.once('end', () => this.#lose());
  }

  /** Parks until the server has let us in. @throws ConnectTimeoutError, DatabaseError, Node's errors */
  connect(): void {
    if (this.#connected || this.#ending) throw new ClientClosedError('A client connects only once');
    this.#connected = true;
    const { raw } = this;
    const ms = this.#connectTimeout;
    using _limit = Timeout.startNew(ms, ms === undefined ? undefined : new ConnectTimeoutError(ms));
    try {
      connectRaw(raw, () => this.#ready());
      this.#address = (raw.connection.stream as Socket).remoteAddress;
    } catch (error) {
      this.#destroy();
      throw error;
    }
  }

  // ------------------------------------------------------------ operations

  /** Parks for the answer. An interrupt stops the query on the server. */
  query(config: QueryInput, values?: unknown[]): QueryResult {
    return runQuery(this, config, values);
  }

  /**
   * Parks until an operation may begin. After it either {@link begin} or {@link leave}.
   * @throws ConcurrentUseError, ConnectionLostError, ClientClosedError
   */
  enter(): void {
    if (this.#owner !== undefined && this.#owner === getCurrent())
      throw new ConcurrentUseError(
        'This client, by a cursor or COPY of the same greenlet, and so it',
      );
    if (!this.raw.pipeline) {
      this.#lock.acquire();
      this.#held = true;
    }
    try {
      while (this.#recovery) this.#recovery.over.wait();
      this.#checkUsable();
    } catch (error) {
      this.leave();
      throw error;
    }
  }

  #checkUsable(): void {
    const lost = this.#lost ?? this.#cause;
    if (lost instanceof ClientClosedError) throw lost;
    if (lost) throw new ConnectionLostError(lost);
    if (!this.#connected)
      throw new ClientClosedError('This client is not connected: call connect()');
  }

  leave(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#owner = undefined;
    this.#lock.release();
  }

  /** Sends it. With `owner` that greenlet has it for longer than a query. */
  begin(operation: Operation, submittable: object, owner?: Greenlet): void {
    this.#owner = owner;
    submit(this.raw, submittable, this.quiet);
    this.#flight.push(operation);
  }

  #ready(): void {
    this.#flight.shift()?.ended();
    if (this.#recovery) {
      if (this.#flight.every((each) => each.abandoned)) this.#beginRecovery(true);
      this.#recovery.step();
    } else if (this.#flight.length === 0) this.leave();
  }

  // -------------------------------------------------------------- recovery

  /**
   * For an operation whose greenlet goes on without its end. A `busy` one is cancelled on the server,
   * once all that is in flight is abandoned: a cancel request strikes whatever is worked on.
   */
  abandon(operation: Operation, busy = true): void {
    operation.abandoned = true;
    this.#owner = undefined;
    if (!this.#flight.at(-1)?.abandoned) return;
    this.#recovery ??= new Recovery(this);
    if (this.#flight.every((each) => each.abandoned)) this.#beginRecovery(busy);
  }

  #beginRecovery(cancel: boolean): void {
    if (!this.#recovery?.begun) this.#recovery?.begin(cancel && this.#flight.length > 0);
  }

  /** Runs `sql` as soon as the server is done with all else, and says clean only after it. Never parks. */
  cleanUp(sql: string): void {
    if (this.#lost || this.#ending) return;
    const status = this.raw.getTransactionStatus();
    if (!this.#recovery && this.quiet && status === 'I') return;
    const recovery = this.#recovery ?? new Recovery(this);
    recovery.add(sql);
    if (recovery === this.#recovery) return;
    this.#recovery = recovery;
    recovery.ownsLock = this.#held || this.#lock.acquire({ block: false });
    if (recovery.ownsLock) this.#held = true;
    for (const each of this.#flight) each.abandoned = true;
    this.#beginRecovery(true);
  }

  /** Parks until it is known whether it is clean; at most for the time that a recovery may take. */
  waitRecovered(): void {
    this.#recovery?.over.wait();
  }

  get recovering(): boolean {
    return this.#recovery !== undefined;
  }

  /** Calls back, at once if it can, when it is free and outside any transaction: or never will be. */
  whenClean(callback: (clean: boolean) => void): void {
    if (this.#lost || this.#ending) {
      callback(false);
      return;
    }
    if (this.#recovery) {
      this.#whenClean.push(callback);
    } else if (!this.quiet) {
      // Somebody still waits for an answer on it.
      this.end();
      callback(false);
    } else if (this.raw.getTransactionStatus() === 'I') {
      callback(true);
    } else {
      this.#whenClean.push(callback);
      this.cleanUp('ROLLBACK');
    }
  }

  get quiet(): boolean {
    return this.#flight.length === 0;
  }

  cancel(done: (error?: Error) => void): () => void {
    this.#cancels++;
    return cancelRequest(this.raw, this.#options, this.#address, grace, (error) => {
      this.#cancels--;
      done(error);
      this.#checkGone();
    });
  }

  run(sql: string, done: (error?: Error) => void): void {
    runAside(this, sql, done);
  }

  recovered(): void {
    if (this.#whenClean.length > 0 && this.raw.getTransactionStatus() !== 'I') {
      this.#recovery?.add('ROLLBACK');
      this.#recovery?.step();
    } else this.#endRecovery(true);
  }

  giveUp(): void {
    this.end();
    this.#endRecovery(false);
  }

  #endRecovery(clean: boolean): void {
    const recovery = this.#recovery;
    this.#recovery = undefined;
    if (recovery?.ownsLock) this.leave();
    recovery?.end();
    const callbacks = this.#whenClean;
    this.#whenClean = [];
    for (const each of callbacks) each(clean);
  }

  get usable(): boolean {
    return this.#connected && !this.#ending && (this.#lost ?? this.#cause) === undefined;
  }

  /** Ends it, without waiting: with a goodbye if it is idle, else what it works on is stopped. */
  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#cause ??= new ClientClosedError();
    if (this.#lost) return;
    if (!this.#connected) {
      this.#lose();
      return;
    }
    if (!this.quiet) {
      this.cancel(ignore);
      this.raw.connection.stream.destroy();
      return;
    }
    this.#farewell = setTimeout(() => this.raw.connection.stream.destroy(), goodbye);
    (this.raw.end as (callback: () => void) => void)(ignore);
  }

  #destroy(): void {
    this.#ending = true;
    this.raw.connection.stream.destroy();
    // The driver says no end for a socket that it has not got to use.
    this.#lose();
  }

  #broken(error: Error): void {
    this.#cause ??= error;
    this.raw.connection.stream.destroy();
  }

  #lose(): void {
    if (this.#lost) return;
    clearTimeout(this.#farewell);
    const lost = this.#cause ?? new ConnectionLostError();
    this.#lost = lost;
    const flight = this.#flight;
    this.#flight = [];
    // The server finds out that nobody waits only when it has something to send.
    if (flight.length > 0 && !this.#ending) this.cancel(ignore);
    for (const each of flight) each.ended(lost);
    if (this.#recovery) this.#endRecovery(false);
    else this.leave();
    this.onLost?.();
    this.#checkGone();
  }

  #checkGone(): void {
    if (this.#lost && this.#cancels === 0) this.gone.set();
  }
}
