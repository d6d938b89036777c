/** Killer: the side connections that stop what runs on others, and ask what became of it. */
import {
  AcquireTimeoutError,
  ResourcePool,
  spawn,
  wasInterrupted,
  withTimeout,
} from '@tendril/core';
import type { ConnectionOptions } from 'mysql2';
import { connect } from './connect.js';
import { Session } from './session.js';
import { Side } from './side.js';

/** Milliseconds that the side connection is kept after its last use. */
const keptFor = 1000;
/** Milliseconds that it may take to get it, and to get its answer. See `grace` in session.ts. */
const limit = 3000;
/** mysql2's `connectTimeout`, for a question. */
const defaultPatience = 10_000;

function makeSides(options: ConnectionOptions, milliseconds: number): ResourcePool<Side> {
  const plain = { nestTables: false, rowsAsArray: false, typeCast: true } as const;
  const all = { ...options, ...plain, connectTimeout: milliseconds };
  return new ResourcePool<Side>({
    create: () => new Side(new Session(connect(all))),
    destroy: (side) => side.session.end(),
    isUsable: (side) => !side.session.lost,
    max: 1,
    acquireTimeout: milliseconds,
    idleTimeout: keptFor,
  });
}

/**
 * MySQL stops a statement only when another session asks. One side connection does that for a whole
 * pool; it is opened when it is needed, and closed soon after.
 */
export class Killer {
  readonly #sides: ResourcePool<Side>;
  /** Others, for nobody who is to be stopped shall wait for a question that is not answered. */
  readonly #askers: ResourcePool<Side>;
  readonly #patience: number;
  /** Kills in the background that have no answer yet. */
  #pending = 0;
  #closed = false;

  constructor({ database: _itMayBeGone, ...options }: ConnectionOptions) {
    this.#patience = options.connectTimeout || defaultPatience;
    this.#sides = makeSides(options, limit);
    this.#askers = makeSides(options, this.#patience);
  }

  /**
   * Stops what the session runs now, if it runs anything. Parks until the server has answered: only
   * then can this kill not strike a later statement.
   * @returns false if the server lets nobody in whom it could be told
   */
  killQuery(session: Session): boolean {
    let told = false;
    try {
      this.#sides.use((side) => {
        told = true;
        side.killQuery(session);
      });
      return true;
    } catch (error) {
      if (told || wasInterrupted(error)) throw error;
      return false;
    }
  }

  /**
   * Ends a session and what it runs, in the background, and then calls `done`. Until then its connection
   * has to be left as it is: whether the server closes it says whether it is the same server still.
   */
  killSession(session: Session, done: () => void): void {
    this.#pending++;
    spawn(() => {
      try {
        withTimeout(limit, () => this.#sides.use((side) => side.kill(session)));
      } catch {
        // It is gone already, or cannot be reached: the server finds out by itself.
      } finally {
        this.#pending--;
        done();
        if (this.#closed) this.close();
      }
    });
  }

  /** See core's `Watched`. Parks for two times `connectTimeout` at most. */
  isWorkedFor(session: Session): boolean {
    // The connection beside may have been forgotten on the way as well: there is a new one the second time.
    return this.#ask(session) ?? this.#ask(session) ?? false;
  }

  /** @returns undefined if there was no answer */
  #ask(session: Session): boolean | undefined {
    const ask = () => this.#askers.use((side) => side.isWorkedFor(session));
    try {
      return withTimeout(this.#patience, ask, { value: undefined });
    } catch (error) {
      // Nobody in line before has got an answer either.
      if (error instanceof AcquireTimeoutError) return undefined;
      throw error;
    }
  }

  /** Closes the side connections, once they have done what was asked. Works from everywhere. */
  close(): void {
    this.#closed = true;
    this.#askers.closeNow();
    if (this.#pending === 0) this.#sides.closeNow();
  }
}
