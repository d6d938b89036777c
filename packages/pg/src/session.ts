/** Session: one connection, one operation at a time, clean again after each. */
import type { Socket } from 'node:net';
import {
  ConcurrentUseError,
  Event,
  type Greenlet,
  getCurrent,
  Timeout,
  Turns,
  Vigil,
  type Watched,
} from '@tendril/core';
import { makeAside } from './aside.js';
import { cancelRequest } from './cancel.js';
import { connectRaw, makeRaw, type RawClient, submit } from './driver.js';
import {
  ClientClosedError,
  ConnectionLostError,
  ConnectTimeoutError,
  SilentServerError,
} from './errors.js';
import { isWorkedFor } from './inquiry.js';
import type { Operation } from './operation.js';
import { type ClientOptions, connectionTimeout, silenceLimit } from './options.js';
import { grace, type Patient, Recovery } from './recovery.js';

/** For the server to take a goodbye. */
const goodbye = 1000;

/** For a sign of life of the server, where connecting has no limit. */
const defaultPatience = 10_000;

const ignore = () => {};

export class Session implements Patient, Watched {
  readonly raw: RawClient;
  /** Of `performance.now()`. */
  readonly born = performance.now();
  /** How often a pool has lent it. */
  uses = 0;
  /** Set when nothing of it is left: no connection, no cancel request. */
  readonly gone = new Event();
  /** Called once when the connection has ended. */
  onLost: ((cause: Error) => void) | undefined;
  readonly #options: ClientOptions;
  readonly #connectTimeout: number | undefined;
  /** Milliseconds; 0 for none. */
  readonly queryTimeout: number;
  /** Taken from the start of an operation until the server is done with it. Not with `pipeline`. */
  readonly turns: Turns;
  #held = false;
  /** Who has the turn for longer than a query, and would wait for itself. */
  #reader: Greenlet | undefined;
  /** A statement was abandoned since the last reset, and may have done something all the same. */
  tainted = false;
  /** Sent and not ended, in the order of their answers. */
  #flight: Operation[] = [];
  #recovery: Recovery | undefined;
  readonly #vigil: Vigil | undefined;
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
    this.turns = new Turns(options.acquireTimeout);
    this.raw = makeRaw(options);
    const silence = silenceLimit(options);
    // Nothing gets lost on the way to a socket in the file system; of a stream there is no second one.
    if (silence && !this.raw.host.startsWith('/') && typeof options.stream !== 'object')
      this.#vigil = new Vigil(this, silence);
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

  /**
   * Parks until an operation may begin. After it either {@link begin} or {@link leave}.
   * @throws ConcurrentUseError, AcquireTimeoutError, ConnectionLostError, ClientClosedError
   */
  enter(): void {
    if (this.#reader !== undefined && this.#reader === getCurrent())
      throw new ConcurrentUseError(
        'This client, by a cursor or COPY of the same greenlet, and so it',
      );
    if (!this.raw.pipeline) {
      this.turns.take();
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
    this.#reader = undefined;
    this.turns.pass(this.inTransaction);
  }

  /** Sends it. With `reader` that greenlet has it for longer than a query. */
  begin(operation: Operation, submittable: object, reader?: Greenlet): void {
    this.#reader = reader;
    submit(this.raw, submittable, this.quiet);
    this.#flight.push(operation);
    this.#vigil?.begin();
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
    this.tainted ||= busy;
    this.#reader = undefined;
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
    if (!this.#recovery && this.quiet && !this.inTransaction) return;
    const recovery = this.#recovery ?? new Recovery(this);
    recovery.add(sql);
    if (recovery === this.#recovery) return;
    this.#recovery = recovery;
    recovery.ownsTurn = this.#held || this.turns.seize();
    if (recovery.ownsTurn) this.#held = true;
    for (const each of this.#flight) each.abandoned = this.tainted = true;
    this.#beginRecovery(true);
  }

  /** Parks until it is known whether it is clean; at most for the time that a recovery may take. */
  waitRecovered(): void {
    this.#recovery?.over.wait();
  }

  /** Something is left to be done before anybody else may have it. */
  get disorderly(): boolean {
    return this.#recovery !== undefined || this.tainted || this.inTransaction;
  }

  /** Somebody waits for an answer on it, or for a turn. */
  get wanted(): boolean {
    return (!this.quiet && !this.#recovery) || this.turns.wanted;
  }

  /** The server has forgotten the named statements, and all else that is not as it was at first. */
  forgetAll(): void {
    this.tainted = false;
    const { connection } = this.raw;
    connection.parsedStatements = {};
    connection.submittedNamedStatements = {};
  }

  /** As far as the server has answered. */
  get inTransaction(): boolean {
    const status = this.raw.getTransactionStatus();
    return (status === 'T' || status === 'E') && !this.#lost;
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
    this.begin(...makeAside(sql, done));
  }

  recovered(): void {
    const recovery = this.#recovery;
    this.#recovery = undefined;
    if (recovery?.ownsTurn) this.leave();
    recovery?.end();
  }

  giveUp(): void {
    this.end();
    this.recovered();
  }

  // ----------------------------------------------------------------- silence

  get waiting(): boolean {
    return !this.quiet;
  }

  get bytesRead(): number | undefined {
    return (this.raw.connection.stream as Socket).bytesRead;
  }

  isWorkedFor(): boolean {
    const patience = this.#connectTimeout ?? defaultPatience;
    return isWorkedFor(this.raw, this.#options, this.#address, patience);
  }

  silent(): void {
    this.#broken(new SilentServerError());
  }

  // ----------------------------------------------------------------- the end

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
    this.#vigil?.end();
    const lost = this.#cause ?? new ConnectionLostError();
    this.#lost = lost;
    const flight = this.#flight;
    this.#flight = [];
    // The server finds out that nobody waits only when it has something to send.
    if (flight.length > 0 && !this.#ending) this.cancel(ignore);
    for (const each of flight) each.ended(lost);
    this.turns.reset();
    if (this.#recovery) this.recovered();
    else this.leave();
    this.onLost?.(lost);
    this.#checkGone();
  }

  #checkGone(): void {
    if (this.#lost && this.#cancels === 0) this.gone.set();
  }
}
