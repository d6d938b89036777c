/** Session: a connection and what is known of its state. */
import {
  Event,
  type Greenlet,
  getCurrent,
  NotInGreenletError,
  park,
  spawn,
  Turns,
  Vigil,
  type Watched,
  withoutContext,
  withTimeout,
} from '@tendril/core';
import type {
  ConnectionOptions as ChangeUserOptions,
  FieldPacket,
  QueryOptions,
  QueryResult,
  QueryValues,
} from 'mysql2';
import { type RawConnection, sever, socketOf } from './connect.js';
import {
  ConnectionClosedError,
  errnoOf,
  lockDeadlock,
  queryInterrupted,
  SilentServerError,
} from './errors.js';
import type { Killer } from './killer.js';
import { isOpen, leavesOpen, statusAfter } from './server-status.js';

/**
 * Milliseconds for a statement that was interrupted to end, and for a ROLLBACK in the background. A KILL
 * that meets a statement on its way into SLEEP() or GET_LOCK() may take MariaDB two seconds: it and the
 * statement hold what the other waits for, and it gives up after 40 tries (THD::abort_current_cond_wait).
 */
const grace = 3000;
/** Milliseconds between a KILL QUERY and the next, at first. */
const firstPause = 50;
/** Milliseconds for the server to close a connection after our goodbye. */
const farewell = 1000;
/** Milliseconds between two looks at a turn that somebody has who has not begun a command yet. */
const handTimeout = 10;

/** A single statement like this begins no transaction, not even if it fails halfway. */
const beginsNothing = /^\s*(?:select|insert|update|delete|replace|with)\b/i;

export type Done = (error: Error | null, result?: unknown, fields?: unknown) => void;

/**
 * One command at a time goes to the server; greenlets that share a connection take turns, and one that has
 * begun a transaction has the connection till its end. When a greenlet is killed or timed out in a command, it goes on at once, and the connection is put in order
 * behind its back (`background`); nobody else's command begins before that is done:
 *
 *     greenlet    query ---- Timeout, goes on
 *     background             KILL QUERY (again and again), until the command has ended
 *                            and all KILLs are answered; then a statement that proves it
 *
 * A kill strikes whatever runs when it arrives: it may come before the server has read the query (so it
 * is repeated), or after its end (so its answer is waited for).
 */
export class Session implements Watched {
  readonly raw: RawConnection;
  /** When it was connected, by performance.now(). */
  readonly since = performance.now();
  readonly #killer: Killer | undefined;
  readonly turns: Turns;
  readonly #vigil: Vigil | undefined;
  /** A turn is kept until a command that was abandoned, and all that follows from it, has ended. */
  #held = false;
  /** Set when a command that was under way has left its turn to what puts the connection in order. */
  readonly #handed = new Event();
  /** Why it cannot be used any more. */
  lost: Error | undefined;
  /** Called once when it is lost. */
  onLost: (() => void) | undefined;
  /** A transaction may be open. */
  unfinished = false;
  /** A transaction is open, as far as the server has said. */
  open = false;
  /** A command was abandoned, and may have done something all the same: a lock, a SET, a USE. */
  tainted = false;
  /** How often a pool has had it back: whoever waited for a turn before that is too late. */
  lease = 0;
  /** The server has ended the transaction that the user is in: nothing may run as if in it. */
  rolledBack: Error | undefined;
  /** It has changed its user, and is nobody else's any more. */
  foreign = false;
  /** Between begin and end of `transaction()`. */
  within = false;
  /** A command is on its way. */
  #busy = false;
  /** The server is being told to end it; it is broken off after that. */
  #condemned = false;
  /** Tells whoever waits for the command that the connection is lost; set by who began it. */
  fail: ((error: Error) => void) | undefined;
  /** Set once a command that nobody waits for any more has ended. */
  #orphan: Event | undefined;
  /** Puts the connection in order: the one that runs, and the last of those in line. */
  #working: Greenlet | undefined;
  #last: Greenlet | undefined;

  /**
   * Without a killer an interrupted command costs the connection. `limit`: milliseconds that greenlets wait
   * for a turn. `silence`: milliseconds without a byte for a command before the server is asked about it.
   */
  constructor(raw: RawConnection, killer?: Killer, limit?: number, silence?: number) {
    this.raw = raw;
    this.#killer = killer;
    this.turns = new Turns(limit);
    if (silence) this.#vigil = new Vigil(this, silence);
    // The result of a command may be on its way to its callback: it comes first. An error that a
    // command gets is not always told to the connection; its socket is closed in any case.
    const lose = (error: Error) => process.nextTick(() => this.#lose(error));
    raw.on('error', lose);
    raw.on('end', () => lose(new ConnectionClosedError()));
    socketOf(raw).once('close', () => lose(new ConnectionClosedError()));
  }

  /** The server, or this side, has closed it. */
  get closed(): boolean {
    const socket = socketOf(this.raw);
    return socket.destroyed || socket.readableEnded;
  }

  get threadId(): number {
    return this.raw.threadId;
  }

  /** Nothing runs, and nothing is left to be put in order. */
  get settled(): boolean {
    return !(this.#busy || this.#last || this.unfinished || this.tainted);
  }

  // ---------------------------------------------------------------- commands

  /**
   * Takes the connection for one command. Parks while others have it, or it is being put in order.
   * @throws ConnectionClosedError, AcquireTimeoutError
   */
  begin(): void {
    const current = getCurrent();
    if (!current) throw new NotInGreenletError('A query');
    const { lease } = this;
    if (this.#working !== current) this.#takeTurn();
    else this.#seizeTurn();
    if (this.lost || this.rolledBack || this.lease !== lease) {
      this.#passTurn(this.turns.statistics().owned);
      throw this.rolledBack ?? new ConnectionClosedError({ cause: this.lost });
    }
    this.#busy = true;
    this.watch();
  }

  #takeTurn(): void {
    for (;;) {
      this.join();
      this.turns.take();
      if (!this.#last) return;
      this.#passTurn(this.turns.statistics().owned);
    }
  }

  // Past everybody: whoever has a transaction by now waits for this one.
  #seizeTurn(): void {
    while (!this.#held) {
      if (this.turns.seize()) this.#held = true;
      else this.#handed.wait({ timeout: handTimeout });
    }
  }

  #passTurn(open: boolean): void {
    if (this.#held) return;
    if (this.#last) {
      this.#held = true;
      this.#handed.set();
    } else this.turns.pass(open);
  }

  /** The command has ended. */
  finish(): void {
    if (!this.#busy) return;
    this.#busy = false;
    this.fail = undefined;
    if (this.#orphan) this.#orphan.set();
    else this.#passTurn(this.open);
  }

  /** Nobody waits for the command any more: stops it. */
  abandon(): void {
    if (!this.#busy || this.#orphan) return;
    if (!this.#killer) {
      this.destroy();
      return;
    }
    const ended = new Event();
    this.#orphan = ended;
    this.fail = undefined;
    this.unfinished = this.tainted = this.#held = true;
    const wasOpen = this.open;
    this.background(() => this.#stop(ended, wasOpen));
  }

  #stop(ended: Event, wasOpen: boolean): void {
    // Every kill is answered, or could not be sent, by the time that the end is looked for.
    for (let pause = firstPause; ; pause *= 2) {
      this.#killer?.killQuery(this);
      if (ended.wait({ timeout: pause })) break;
    }
    this.#orphan = undefined;
    for (let tries = 3; ; tries--) {
      try {
        this.query('DO 0');
        // A BEGIN that took effect for nobody.
        if (this.open && !wasOpen) this.query('ROLLBACK');
        return;
      } catch (error) {
        if (errnoOf(error) !== queryInterrupted || tries === 0) throw error;
      }
    }
  }

  /** Runs one command of mysql2; `note` before anybody else's turn. @returns its result and fields */
  command(start: (raw: RawConnection, done: Done) => void, note?: Done): [unknown, unknown] {
    this.begin();
    const outcome = park<Error | [unknown, unknown]>((resume) => {
      this.fail = resume;
      try {
        start(this.raw, (error, result, fields) => {
          if ((error as { fatal?: boolean } | null)?.fatal) this.#lose(error as Error);
          note?.(error, result, fields);
          this.finish();
          resume(error ?? [result, fields]);
        });
      } catch (error) {
        this.finish();
        throw error;
      }
      return () => this.abandon();
    });
    if (!(outcome instanceof Error)) return outcome;
    // mysql2 made it far from here; what the user wants to see is the call.
    Error.captureStackTrace(outcome, this.command);
    throw outcome;
  }

  query<T extends QueryResult>(
    sql: string | QueryOptions,
    values?: QueryValues,
    method: 'query' | 'execute' = 'query',
  ): [T, FieldPacket[]] {
    return this.statement((raw, done) => {
      if (method === 'query') raw.query(sql as string, values, done as never);
      else raw.execute(sql as string, values as never, done as never);
    });
  }

  /** A command that may begin or end a transaction. */
  statement<T extends QueryResult>(
    start: (raw: RawConnection, done: Done) => void,
  ): [T, FieldPacket[]] {
    const note: Done = (error, result, fields) => {
      if (error) this.noteError(error);
      else this.noteResult(result, fields);
    };
    return this.command(start, note) as [T, FieldPacket[]];
  }

  /** Parks while the server sets the session back. */
  reset(): void {
    this.command((raw, done) =>
      raw.reset((error) => {
        if (!error) this.#isNew();
        done(error);
      }),
    );
  }

  /**
   * Logs in again: also the database and the character set are then what the options say, of which
   * COM_RESET_CONNECTION knows nothing. If that fails the connection is lost.
   */
  changeUser(options: ChangeUserOptions = {}): void {
    try {
      this.command(
        (raw, done) => raw.changeUser(options, done),
        (error) => {
          if (!error) this.#isNew();
        },
      );
    } catch (error) {
      this.destroy(error as Error);
      throw error;
    }
  }

  #isNew(): void {
    this.unfinished = this.open = this.tainted = false;
  }

  /** A pool has it back: nothing on it is anybody's any more. */
  endLease(): void {
    this.lease++;
    this.within = false;
    this.rolledBack = undefined;
    this.turns.reset();
  }

  noteResult(result: unknown, fields: unknown): void {
    const status = statusAfter(result, fields);
    if (status === undefined) return;
    this.open = isOpen(status);
    this.unfinished = leavesOpen(status);
  }

  /** An error of the server says nothing of the transaction, except for one. */
  noteError(error: unknown): void {
    const errno = errnoOf(error);
    if (errno === undefined) return;
    const { sql } = error as { sql?: string };
    if (this.raw.config.multipleStatements || !beginsNothing.test(sql ?? ''))
      this.unfinished = true;
    if (errno !== lockDeadlock) return;
    this.open = false;
    if (this.within) this.rolledBack = error as Error;
  }

  // ------------------------------------------------------------ putting in order

  /**
   * Does `work` in a greenlet of its own, before any command that is begun from now on. If it fails, or
   * takes longer than the grace, the connection is given up.
   */
  background(work: () => void): void {
    const before = this.#last;
    // At once: who comes to own the connection next would wait for this, and this for its end.
    if (!this.#held && this.turns.seize()) this.#held = true;
    const run = () => {
      before?.join();
      this.#working = greenlet;
      try {
        if (!this.lost) withTimeout(grace, work);
      } catch (error) {
        this.destroy(error as Error);
      } finally {
        this.#working = undefined;
        if (this.#last === greenlet) this.#settled();
      }
    };
    const greenlet = withoutContext(() => spawn(run));
    this.#last = greenlet;
  }

  #settled(): void {
    this.#last = undefined;
    if (!this.#held) return;
    this.#held = false;
    this.#handed.clear();
    this.turns.pass(this.open);
  }

  /** Parks until it is in order. */
  join(): void {
    while (this.#last) this.#last.join();
  }

  // ------------------------------------------------------------------- silence

  /** Somebody waits for the server from now on. */
  watch(): void {
    this.#vigil?.begin();
  }

  /** While nothing is read what has come is still in the kernel; what was abandoned has a limit of its own. */
  get waiting(): boolean {
    return this.#busy && !this.#orphan && !socketOf(this.raw).isPaused();
  }

  get bytesRead(): number {
    return socketOf(this.raw).bytesRead;
  }

  /** Some of a command is still on this side. */
  get sending(): boolean {
    return socketOf(this.raw).writableLength > 0;
  }

  isWorkedFor(): boolean {
    return this.#killer?.isWorkedFor(this) ?? true;
  }

  silent(): void {
    this.destroy(new SilentServerError());
  }

  // ------------------------------------------------------------------- the end

  #lose(error: Error): void {
    if (this.lost) return;
    this.lost = error;
    this.#vigil?.end();
    const fail = this.fail;
    this.finish();
    fail?.(error);
    this.turns.reset();
    this.onLost?.();
  }

  /** Says goodbye. Does not wait for the answer. */
  end(): void {
    if (this.lost || this.#busy) {
      this.destroy();
      return;
    }
    this.#lose(new ConnectionClosedError());
    const { raw } = this;
    const socket = socketOf(raw);
    const timer = setTimeout(() => sever(raw), farewell);
    socket.once('close', () => clearTimeout(timer));
    raw.end();
    socket.end();
  }

  /** Breaks the connection off, and what runs on it. Works from everywhere. */
  destroy(error: Error = new ConnectionClosedError()): void {
    if (this.#condemned) return;
    const killer = this.#busy && !this.lost ? this.#killer : undefined;
    if (killer) {
      this.#condemned = true;
      killer.killSession(this, () => sever(this.raw));
    }
    this.#lose(error);
    if (!killer) sever(this.raw);
  }
}
