/** Turns: whose turn it is on a connection that several greenlets share. */
import { AcquireTimeoutError, ConcurrentUseError, NotInGreenletError } from '../errors.js';
import type { Greenlet } from '../greenlet/greenlet.js';
import { hub } from '../hub/hub.js';
import type { Membership } from '../hub/task.js';
import { checkTimeout, expired } from '../hub/timed-wait.js';
import { WaitList } from './wait-list.js';

/** Somebody's transaction. */
interface Owner {
  readonly greenlet: Greenlet;
  /** Of the owner and of all greenlets that were made since it began, by it or by one of them. */
  readonly membership: Membership;
  /** Begun and ended by commands, and not by {@link Turns.own}. */
  readonly byHand: boolean;
  /** Stops looking for its death. */
  unwatch?: () => void;
}

const defaultLimit = 30_000;

/**
 * One command after the other, first come, first served, and between the commands of a transaction nobody
 * else's. A transaction belongs to one greenlet, from before its BEGIN is sent to after its end; greenlets that
 * were spawned within it take part in it, and all others wait. It ends with its greenlet, too.
 */
export class Turns {
  readonly #limit: number;
  /** A command is under way, of `#user` unless nobody waits for it. */
  #busy = false;
  #user: Greenlet | undefined;
  #owner: Owner | undefined;
  /** Those that take part in the transaction; nobody waits in either list whose turn it could be. */
  readonly #inside = new WaitList<true, Greenlet>();
  readonly #outside = new WaitList<true, Greenlet>();

  /** `timeout` is how many milliseconds one waits at most; default 30,000. @throws InvalidArgumentError */
  constructor(timeout: number = defaultLimit) {
    checkTimeout(timeout);
    this.#limit = timeout;
  }

  /**
   * Parks until the current greenlet may begin a command. After it comes {@link pass}.
   * @throws AcquireTimeoutError
   */
  take(): void {
    const current = hub.current as Greenlet | undefined;
    if (!current) throw new NotInGreenletError();
    const admitted = this.#owner === undefined || this.#isInside(current);
    if (admitted && !this.#busy) {
      this.#busy = true;
      this.#user = current;
      return;
    }
    const list = this.#owner && admitted ? this.#inside : this.#outside;
    if (!admitted) this.#watch();
    const undo = () => this.#free();
    const outcome = list.wait('a turn on a connection', current, this.#limit, undo);
    if (outcome === expired)
      throw new AcquireTimeoutError(this.#limit, undefined, this.statistics().waiting);
  }

  /** Takes the turn past everybody, for a command that no greenlet waits for; false if another is under way. */
  seize(): boolean {
    if (this.#busy) return false;
    this.#busy = true;
    return true;
  }

  /**
   * The command has ended; works from everywhere. With `open` it has left a transaction open: one that was
   * begun by hand is from now on that of the command's greenlet, until a command ends without.
   */
  pass(open = false): void {
    if (!open) {
      if (this.#owner?.byHand) this.#disown();
    } else if (this.#owner === undefined && this.#user) this.#setOwner(this.#user, true);
    this.#free();
  }

  #free(): void {
    this.#busy = false;
    this.#user = undefined;
    const next = this.#inside.serve(true) || (!this.#owner && this.#outside.serve(true));
    if (!next) return;
    this.#busy = true;
    this.#user = next.payload;
  }

  // -------------------------------------------------------------- transactions

  /** The current greenlet has the transaction. */
  get owned(): boolean {
    return this.#owner !== undefined && this.#owner.greenlet === hub.current;
  }

  /** A greenlet is between {@link own} and its end. */
  get transacting(): boolean {
    return this.#owner !== undefined && !this.#owner.byHand;
  }

  /** Somebody waits. */
  get wanted(): boolean {
    return (this.#inside.first() ?? this.#outside.first()) !== undefined;
  }

  /**
   * Parks until nobody else has a transaction, and makes the next one that of the current greenlet.
   * @returns how to end it, which works from everywhere
   * @throws AcquireTimeoutError; ConcurrentUseError in a greenlet that takes part in another's
   */
  own(): () => void {
    const current = hub.current as Greenlet | undefined;
    if (current && this.#isInside(current) && this.#owner)
      throw new ConcurrentUseError('The transaction of this connection');
    this.take();
    const owner = this.#setOwner(current as Greenlet, false);
    this.#free();
    return () => {
      if (this.#owner !== owner) return;
      this.#disown();
      if (!this.#busy) this.#free();
    };
  }

  /** Nobody's transaction is open any more, whoever had one. */
  reset(): void {
    this.#disown();
    if (!this.#busy) this.#free();
  }

  #setOwner(greenlet: Greenlet, byHand: boolean): Owner {
    const membership = { outer: withoutEnded(greenlet.membership), over: false };
    const owner: Owner = { greenlet, membership, byHand };
    greenlet.membership = membership;
    this.#owner = owner;
    if (this.#outside.first()) this.#watch();
    return owner;
  }

  #disown(): void {
    const owner = this.#owner;
    if (!owner) return;
    owner.unwatch?.();
    owner.membership.over = true;
    owner.greenlet.membership = withoutEnded(owner.greenlet.membership);
    this.#owner = undefined;
  }

  #isInside(current: Greenlet): boolean {
    const owner = this.#owner;
    if (owner?.greenlet.dead) this.#disown();
    if (!this.#owner) return true;
    let { membership } = current;
    while (membership && membership !== this.#owner.membership) membership = membership.outer;
    return membership !== undefined;
  }

  /** Somebody waits for the owner, who may end without a word. */
  #watch(): void {
    const owner = this.#owner;
    if (!owner || owner.unwatch) return;
    const onEnd = () => {
      if (this.#owner === owner) this.reset();
    };
    // Not a link: nobody here collects its error.
    owner.greenlet.onEnd(onEnd);
    owner.unwatch = () => owner.greenlet.offEnd(onEnd);
  }

  statistics(): { busy: boolean; owned: boolean; waiting: number } {
    const waiting = this.#inside.length + this.#outside.length;
    return { busy: this.#busy, owned: this.#owner !== undefined, waiting };
  }
}

/** A greenlet that begins one transaction after the other, or the next of a chain, keeps no list of them. */
function withoutEnded(membership: Membership | undefined): Membership | undefined {
  if (!membership) return undefined;
  const outer = withoutEnded(membership.outer);
  if (membership.over) return outer;
  membership.outer = outer;
  return membership;
}
