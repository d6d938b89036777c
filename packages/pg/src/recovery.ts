/** Recovery: brings a connection whose query was interrupted back to a known state, or gives it up. */
import { Event } from '@tendril/core';

/** Milliseconds within which a connection must be clean again. */
export const grace = 2000;

/** A request that comes before its query is ignored by the server: then it is sent again. */
const cancelAgain = 100;

/** The connection, as a recovery sees it. */
export interface Patient {
  /** The server has answered all that it was sent. */
  readonly quiet: boolean;
  /** Returns how to take it back: `done` is called all the same. */
  cancel(done: (error?: Error) => void): () => void;
  run(sql: string, done: (error?: Error) => void): void;
  recovered(): void;
  /** It cannot be proven clean. */
  giveUp(): void;
}

/**
 * The server is done when both have come: the end of the query (ReadyForQuery), and the end of the
 * cancel request's own connection. After the first alone a signal may still be under way, and would
 * strike the next query. After both it cannot: the signal was sent before, and a server that waits for
 * a query takes no notice of it.
 */
export class Recovery {
  /** Set at its end. */
  readonly over = new Event();
  /** It passes the connection's turn at its end. */
  ownsTurn = true;
  readonly #patient: Patient;
  readonly #statements: string[] = [];
  #limit: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  /** Takes the cancel request back that is under way. */
  #uncancel: (() => void) | undefined;
  #running = false;

  constructor(patient: Patient) {
    this.#patient = patient;
  }

  get begun(): boolean {
    return this.#limit !== undefined;
  }

  /** To be run when the server is done, before the connection counts as clean. */
  add(sql: string): void {
    this.#statements.push(sql);
  }

  /** The time begins to count. */
  begin(cancel: boolean): void {
    this.#limit = setTimeout(() => this.#patient.giveUp(), grace);
    if (cancel) this.#cancel();
    this.step();
  }

  #cancel(): void {
    this.#uncancel = this.#patient.cancel((error) => {
      this.#uncancel = undefined;
      if (this.over.isSet()) return;
      if (error) {
        this.#patient.giveUp();
        return;
      }
      if (!this.#patient.quiet) this.#again = setTimeout(() => this.#cancel(), cancelAgain);
      this.step();
    });
  }

  /** Goes on, if it can: called whenever something has come to its end. */
  step(): void {
    if (!this.begun || this.over.isSet()) return;
    if (this.#running || !this.#patient.quiet) return;
    if (this.#uncancel) {
      this.#uncancel();
      return;
    }
    clearTimeout(this.#again);
    const next = this.#statements.shift();
    if (next === undefined) {
      this.#patient.recovered();
      return;
    }
    this.#running = true;
    this.#patient.run(next, (error) => {
      this.#running = false;
      if (error) this.#patient.giveUp();
      else this.step();
    });
  }

  end(): void {
    clearTimeout(this.#limit);
    clearTimeout(this.#again);
    this.over.set();
  }
}
