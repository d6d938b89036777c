/** Killer: the side connection that stops what runs on others. */
import { ResourcePool, spawn, wasInterrupted, withTimeout } from '@tendril/core';
import type { ConnectionOptions } from 'mysql2';
import { connect } from './connect.js';
import { Session } from './session.js';
import { Side } from './side.js';

/** Milliseconds that the side connection is kept after its last use. */
const keptFor = 1000;
/** Milliseconds that it may take to get it, and to get its answer. See `grace` in session.ts. */
const limit = 3000;

/**
 * MySQL stops a statement only when another session asks. One side connection does that for a whole
 * pool; it is opened when it is needed, and closed soon after.
 */
export class Killer {
  readonly #sides: ResourcePool<Side>;
  /** Kills in the background that have no answer yet. */
  #pending = 0;
  #closed = false;

  constructor({ database: _itMayBeGone, ...options }: ConnectionOptions) {
    this.#sides = new ResourcePool<Side>({
      create: () => new Side(new Session(connect({ ...options, connectTimeout: limit }))),
      destroy: (side) => side.session.end(),
      isUsable: (side) => !side.session.lost,
      max: 1,
      acquireTimeout: limit,
      idleTimeout: keptFor,
    });
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

  /** Closes the side connection, once it has done what was asked. Works from everywhere. */
  close(): void {
    this.#closed = true;
    if (this.#pending === 0) this.#sides.closeNow();
  }
}
