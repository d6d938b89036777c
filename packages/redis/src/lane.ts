/** Lane: a connection that one greenlet has for itself. */
import { park } from '@tendril/core';
import { ErrorReply, RESP_TYPES } from 'redis';
import { type Blocking, decoded, limitOf } from './blocking.js';
import { connect, shut } from './connect.js';
import { LostElementsError, withCode } from './errors.js';
import { LaneState } from './lane-state.js';
import { Pulse } from './pulse.js';
import type { Args, CommandOptions, Raw } from './raw.js';
import { interrupt, Stop } from './stop.js';

/** Where lanes lead to. */
export interface LaneHost {
  /** A new client, not connected, that does not reconnect and whose sockets end with `signal`. */
  open(signal: AbortSignal, database: number): Raw;
  /** Sends a command over another connection to the same server. */
  control(args: Args): Promise<unknown>;
  /** Milliseconds. */
  readonly connectTimeout: number;
  readonly silenceLimit: number;
  /** Sees to it that there is that other connection, by whose pings a silent network is found. */
  beside?(): void;
  /** Of what happened in the background. */
  onError(error: Error): void;
}

export type Send = (raw: Raw) => Promise<unknown>;

export interface Call {
  readonly send: Send;
  /** As node-redis's method of its name takes them. */
  readonly args: readonly unknown[];
}

/** Milliseconds for an interrupted command to end; then its connection is closed. */
const settleLimit = 2000;
/** Milliseconds from one CLIENT UNBLOCK to the next: the command may not have arrived yet. */
const again = 5;
const ignore = () => {};
const doNothing = async () => {};

/** Ended by CLIENT UNBLOCK, before it got anything. */
function isUnblocked(error: unknown): boolean {
  return error instanceof ErrorReply && error.message.startsWith('UNBLOCKED');
}

function wantsBuffers({ typeMapping }: CommandOptions): boolean {
  return (typeMapping?.[RESP_TYPES.BLOB_STRING] as unknown) === Buffer;
}

/** Resolves with `promise`, however it ends, or after `ms`. */
function within(promise: Promise<unknown>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    promise.then(done, done);
  });
}

export class Lane {
  readonly raw: Raw;
  readonly database: number;
  readonly #host: LaneHost;
  readonly #stop = new Stop();
  readonly #pulse: Pulse;
  #id: unknown;
  /** From when it is connected. */
  #state: LaneState | undefined;
  /** Interrupted commands that have not ended yet. */
  #settling = 0;
  #onSettled: (() => void) | undefined;
  #ended = false;
  #refuse: ((error: Error) => void) | undefined;
  /** A command is on its way that may block for ever. */
  #waitsForEver = false;

  constructor(host: LaneHost, database: number) {
    this.#host = host;
    this.database = database;
    this.raw = host.open(this.#stop.signal, database);
    // Whoever uses it gets the error from the command.
    this.raw.on('error', ignore);
    this.#pulse = new Pulse(this.raw, host.silenceLimit);
  }

  /** Parks until it is connected. */
  connect(): this {
    connect(this.raw, this.#stop, this.#host.connectTimeout);
    try {
      this.#id = park((resume) => {
        this.raw
          .sendCommand(['CLIENT', 'ID'])
          .then(resume, (error) => resume.error(withCode(error)));
      });
      this.#state = new LaneState(this.raw);
    } catch (error) {
      this.destroy();
      throw error;
    }
    return this;
  }

  /** It has what its command left behind, for which see {@link reset}. */
  get needsReset(): boolean {
    return this.#isAlive && !this.#isFit;
  }

  get isUsable(): boolean {
    return this.#isAlive && this.#isFit;
  }

  get #isAlive(): boolean {
    return !this.#ended && this.raw.isReady && this.#state?.isSpoilt === false;
  }

  get #isFit(): boolean {
    return this.#settling === 0 && this.#state?.isClean === true;
  }

  /** @throws ConcurrentUseError while another greenlet has a WATCH or MULTI on it */
  check(): void {
    this.#state?.check();
  }

  destroy(): void {
    this.#ended = true;
    shut(this.raw, this.#stop);
  }

  /**
   * Makes it as it was when it was new, for the next: parks until no interrupted command is left on it, and
   * undoes what they have done to the connection, also after their greenlet had given them up. Servers before
   * 6.2 do not know RESET: it fails.
   */
  reset(): void {
    this.#awaitSettled();
    if (!this.#isAlive || this.#isFit) return;
    // node-redis goes back to the database that was selected last.
    const reset = () => this.raw.reset().then(() => this.raw.select(this.database));
    park<unknown>((resume) => void reset().then(resume, resume.error));
    this.#state?.clear();
  }

  #awaitSettled(): void {
    if (this.#settling === 0) return;
    park<void>((resume) => {
      this.#onSettled = resume;
    });
  }

  /** A command's reply. When its greenlet is killed, the connection is kept until the reply has come. */
  exchange(send: Send): unknown {
    return park<unknown>((resume) => {
      const reply = send(this.raw);
      reply.then(resume, (error) => resume.error(withCode(error)));
      return () => void this.#settle(reply);
    });
  }

  /**
   * The same for a command that blocks: a kill or a timeout ends it on the server. What it pops in that
   * moment is put back, for which it has to be read as bytes.
   *
   * One that was ended though nobody here has asked for it is sent again. A server that was started anew
   * counts its connections from the beginning, and an UNBLOCK that was meant for one of the old server's may
   * come so late that it strikes who has its number now.
   */
  exchangeBlocking(blocking: Blocking, call: Call, options: CommandOptions): unknown {
    const { restore, before } = blocking;
    const typeMapping = { ...options.typeMapping, [RESP_TYPES.BLOB_STRING]: Buffer };
    const raw = this.raw.withCommandOptions(restore ? { ...options, typeMapping } : options);
    const limit = limitOf(blocking, call.args);
    const deadline = performance.now() + limit;
    this.#expectSilence(limit);
    try {
      const value = park<unknown>((resume) => {
        let reply: Promise<unknown>;
        let refused: Error | undefined;
        /** Its end was asked for: by a kill, or because its time is up. */
        let asked = false;
        let timer: NodeJS.Timeout | undefined;
        const ask = () => {
          if (before) this.raw.sendCommand(before).catch(ignore);
          reply = call.send(raw);
          reply.then(taken, failed);
        };
        const taken = (value: unknown) => {
          clearTimeout(timer);
          if (refused && value === null) resume.error(refused);
          else resume(value);
        };
        const failed = (error: unknown) => {
          clearTimeout(timer);
          if (!isUnblocked(error)) resume.error(withCode(error));
          else if (asked || refused) taken(null);
          else askAgain();
        };
        const askAgain = () => {
          ask();
          if (limit === Number.POSITIVE_INFINITY) return;
          timer = setTimeout(
            () => {
              asked = true;
              void this.#settle(reply, doNothing);
            },
            Math.max(0, deadline - performance.now()),
          );
        };
        ask();
        this.#refuse = (error) => {
          refused = error;
          void this.#settle(reply, doNothing);
        };
        return () => {
          asked = true;
          clearTimeout(timer);
          void this.#giveBack(reply, blocking, call.args);
        };
      });
      return restore && !wantsBuffers(options) ? decoded(value) : value;
    } finally {
      this.#refuse = undefined;
      this.#expectSilence(0);
    }
  }

  #expectSilence(ms: number): void {
    this.#waitsForEver = ms === Number.POSITIVE_INFINITY;
    this.#pulse.waits = ms;
    if (this.#waitsForEver) this.#host.beside?.();
  }

  /**
   * Another connection to the same server has gone silent: so has this one, if nobody can tell because
   * its command may wait for ever.
   */
  suspect(error: Error): void {
    if (this.#waitsForEver) interrupt(this.raw, error);
  }

  /** Ends a command that blocks, which then fails with `error`; unless it gets something just now. */
  refuse(error: Error): void {
    this.#refuse?.(error);
  }

  #giveBack(reply: Promise<unknown>, blocking: Blocking, args: readonly unknown[]): Promise<void> {
    return this.#settle(reply, async (value) => {
      const commands = value === null ? [] : (blocking.restore?.(value, args) ?? []);
      try {
        await Promise.all(commands.map((command) => this.raw.sendCommand(command)));
      } catch (error) {
        this.#host.onError(new LostElementsError(blocking.command, value, error));
      }
    });
  }

  /**
   * Sees an interrupted command to its end, or closes the connection if that takes too long. One that
   * blocks is told to stop until its reply has come: the first time it may not have arrived yet.
   */
  async #settle(
    reply: Promise<unknown>,
    blocking?: (value: unknown) => Promise<void>,
  ): Promise<void> {
    this.#settling++;
    let ended = false;
    const end = () => {
      ended = true;
    };
    const done = reply.then(blocking).then(end, end);
    const deadline = performance.now() + settleLimit;
    const left = () => deadline - performance.now();
    if (!blocking) await within(done, left());
    // One that fails may be on its way all the same.
    let unanswered = 0;
    while (blocking && !ended && left() > 0) {
      unanswered++;
      const answer = this.#host
        .control(['CLIENT', 'UNBLOCK', String(this.#id), 'ERROR'])
        .then(() => {
          unanswered--;
        }, ignore);
      await within(answer, left());
      await within(done, Math.min(again, left()));
    }
    // What has not been answered yet could hit the next command.
    if (!ended || unanswered > 0) this.destroy();
    this.#settling--;
    if (this.#settling > 0) return;
    this.#onSettled?.();
    this.#onSettled = undefined;
  }
}
