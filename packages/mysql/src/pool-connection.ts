/** PoolConnection: a connection that is lent by a pool. */
import { ReleaseError } from '@tendril/core';
import { Connection } from './connection.js';
import type { Session } from './session.js';

export class PoolConnection extends Connection {
  readonly #giveBack: () => void;

  /** For `Pool.getConnection`. */
  constructor(session: Session, giveBack: () => void) {
    super(session);
    this.#giveBack = giveBack;
  }

  /**
   * Gives it back, once; works from everywhere. A transaction that was left open is rolled back before
   * anybody else gets the connection; other greenlets that still use it get ConnectionClosedError.
   */
  release(): void {
    if (this.session?.within && this.session.turns.owned)
      throw new ReleaseError('This connection is in the midst of transaction()');
    if (!this.session) return;
    this.session = undefined;
    this.#giveBack();
  }

  /** As {@link release}: the connection belongs to the pool. */
  override end(): void {
    this.release();
  }

  /** Breaks the connection off; the pool opens another one in its place. */
  override destroy(): void {
    this.session?.destroy();
    this.session = undefined;
    this.#giveBack();
  }
}
