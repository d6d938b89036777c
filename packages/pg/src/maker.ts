/** Maker: makes connections, each in a greenlet of its own, which outlives who asked for it. */
import { type Greenlet, isExit, PoolClosedError, spawn } from '@tendril/core';
import type { Session } from './session.js';

type Made = { readonly session: Session } | { readonly error: unknown };

/**
 * Who is killed or timed out while a connection is made leaves it to the next. Were it thrown away, a
 * pool whose callers have less time than a connection takes would never have one.
 */
export class Maker {
  readonly #make: () => Session;
  readonly #idleTimeout: number;
  readonly #working = new Set<Greenlet<Made>>();
  /** Made, or being made, for nobody. */
  readonly #orphans = new Set<Greenlet<Made>>();

  /** An orphan that nobody has taken is closed after `idleTimeout` milliseconds. */
  constructor(make: () => Session, idleTimeout: number) {
    this.#make = make;
    this.#idleTimeout = idleTimeout;
  }

  /** Parks for one. */
  take(): Session {
    for (;;) {
      const orphan = this.#adopt();
      const made = this.#await(orphan ?? this.#start());
      if ('error' in made) {
        // Why somebody else's attempt failed may be long past.
        if (!orphan) throw made.error;
      } else if (made.session.usable) return made.session;
      else if (!orphan) throw new PoolClosedError();
    }
  }

  #adopt(): Greenlet<Made> | undefined {
    const [orphan] = this.#orphans;
    if (orphan) this.#orphans.delete(orphan);
    return orphan;
  }

  #start(): Greenlet<Made> {
    const greenlet = spawn((): Made => {
      try {
        return { session: this.#make() };
      } catch (error) {
        return { error: isExit(error) ? new PoolClosedError() : error };
      } finally {
        this.#working.delete(greenlet);
      }
    });
    this.#working.add(greenlet);
    return greenlet;
  }

  #await(greenlet: Greenlet<Made>): Made {
    try {
      return greenlet.get() as Made;
    } catch (error) {
      this.#orphans.add(greenlet);
      greenlet.link(() => this.#expire(greenlet));
      throw error;
    }
  }

  #expire(greenlet: Greenlet<Made>): void {
    const made = greenlet.value as Made;
    if (!this.#orphans.has(greenlet)) return;
    if ('error' in made) {
      this.#orphans.delete(greenlet);
    } else if (Number.isFinite(this.#idleTimeout)) {
      const timer = setTimeout(() => {
        if (this.#orphans.delete(greenlet)) made.session.end();
      }, this.#idleTimeout);
      made.session.gone.link(() => {
        clearTimeout(timer);
        this.#orphans.delete(greenlet);
      });
    }
  }

  /** Those that belong to nobody. */
  get orphans(): number {
    return this.#orphans.size;
  }

  /** Stops making, without waiting. */
  close(): void {
    for (const each of this.#working) each.kill({ block: false });
  }
}
