/** PoolClient: a pool's connection, lent until `release()`. */
import { ReleaseError } from '@tendril/core';
import { ClientBase } from './client-base.js';
import { ClientClosedError } from './errors.js';
import type { Session } from './session.js';

export class PoolClient extends ClientBase implements Disposable {
  #session: Session | undefined;
  readonly #giveBack: (session: Session, destroy: boolean) => void;

  /** For {@link Pool.connect}. */
  constructor(session: Session, giveBack: (session: Session, destroy: boolean) => void) {
    super();
    this.#session = session;
    this.#giveBack = giveBack;
  }

  protected get session(): Session {
    if (this.#session) return this.#session;
    throw new ClientClosedError('This client was released');
  }

  /**
   * Gives it back, from everywhere. A transaction that is open is rolled back. With `destroy` (true, or
   * an error) the connection is closed. Call it once, and not within `transaction()`.
   * @throws ReleaseError
   */
  release(destroy?: Error | boolean): void {
    const session = this.#session;
    if (!session) throw new ReleaseError('This client was released already');
    if (session.turns.transacting && !destroy)
      throw new ReleaseError('This client is in the midst of transaction()');
    this.#session = undefined;
    this.#giveBack(session, Boolean(destroy));
  }

  /** Gives it back, if that is still to be done. */
  [Symbol.dispose](): void {
    if (this.#session) this.release();
  }
}
