/**
 * Dispatcher: hands the connections that the arbiter accepts to the workers in turn.
 *
 * node:cluster does that too, but it closes the port when the last worker dies, and forgets what it
 * has handed to a worker that dies before it has taken it: that client waits for ever. Here the port
 * belongs to the arbiter, and a connection stays open on this side until its worker says `took`. It
 * goes to one worker at a time, for each has at most one that it has not taken yet: a worker that is
 * stuck gets no further ones, and when it is killed the one goes to the next worker. A worker says
 * `took` before it reads a byte, so nothing is ever served twice.
 *
 * A hand-over can be lost. To a process that is out of file descriptors the kernel delivers the bytes
 * of a message without its descriptor (MSG_CTRUNC of recvmsg(2)), and Node then drops the message and
 * tells nobody. Waiting alone proves nothing, since a worker may just be busy, so the worker is asked:
 * messages keep their order, and whoever gets the question about a connection before the connection
 * will never get it. It answers `missed`, the connection goes to another, and this worker is passed
 * over for a while that grows with each loss.
 *
 * For the same reason a worker that is removed here and then told to retire has got every connection
 * that was meant for it: there is no moment at which one can be lost.
 */
import type { Socket } from 'node:net';

/** A connection, and which of the addresses it came to. */
export interface Accepted {
  readonly socket: Socket;
  readonly index: number;
}

export interface Taker {
  /** `number` tells this connection from all others. */
  give(connection: Accepted, number: number): void;
  /** Has the connection of that number arrived? */
  ask(number: number): void;
}

interface HandOver {
  readonly connection: Accepted;
  readonly number: number;
  /** How often the clock has ticked since it was given. */
  ticks: number;
}

interface Rest {
  misses: number;
  timer: NodeJS.Timeout | undefined;
}

/** Connections that wait while every worker is busy; those beyond are closed. */
const mostWaiting = 8192;
/** Milliseconds between two looks at what has been given and not taken. */
const tick = 100;
/** After so many ticks the worker is asked. */
const ticksToAsk = 2;
/** How long a worker is passed over that has missed one connection, and at most. Milliseconds. */
const firstRest = 50;
const longestRest = 1000;

export class Dispatcher {
  readonly #mostWaiting: number;
  readonly #waiting: Accepted[] = [];
  /** Those that can get one, the longest idle first. */
  readonly #free = new Set<Taker>();
  readonly #takers = new Set<Taker>();
  /** Given, and not taken yet. */
  readonly #given = new Map<Taker, HandOver>();
  /** Those that have missed the last that they were given. */
  readonly #resting = new Map<Taker, Rest>();
  #clock: NodeJS.Timeout | undefined;
  #last = 0;

  /** @param descriptors how many files this process may have open: half of them may be connections */
  constructor(descriptors = Number.POSITIVE_INFINITY) {
    this.#mostWaiting = Math.max(Math.min(mostWaiting, Math.floor(descriptors / 2)), 1);
  }

  /** Nothing waits, and nothing is on its way. */
  get idle(): boolean {
    return this.#waiting.length === 0 && this.#given.size === 0;
  }

  offer(connection: Accepted): void {
    if (this.#waiting.length >= this.#mostWaiting) {
      connection.socket.destroy();
      return;
    }
    this.#waiting.push(connection);
    this.#distribute();
  }

  #distribute(): void {
    for (const taker of this.#free) {
      const connection = this.#waiting.shift();
      if (!connection) return;
      this.#free.delete(taker);
      const number = ++this.#last;
      this.#given.set(taker, { connection, number, ticks: 0 });
      this.#clock ??= setInterval(() => this.#tick(), tick);
      taker.give(connection, number);
    }
  }

  #tick(): void {
    for (const [taker, handOver] of this.#given)
      if (++handOver.ticks === ticksToAsk) taker.ask(handOver.number);
    if (this.#given.size === 0) this.#stopClock();
  }

  #stopClock(): void {
    clearInterval(this.#clock);
    this.#clock = undefined;
  }

  /**
   * Milliseconds since `taker` was asked about what it has not taken, without those in which this
   * process stood still itself. A worker whose event loop turns answers at once.
   */
  unanswered(taker: Taker): number {
    return Math.max((this.#given.get(taker)?.ticks ?? 0) - ticksToAsk, 0) * tick;
  }

  /** From now on `taker` gets connections. */
  add(taker: Taker): void {
    this.#takers.add(taker);
    this.#free.add(taker);
    this.#distribute();
  }

  /** `taker` has the connection that it was given: this process lets go of it. */
  took(taker: Taker, number: number): void {
    const handOver = this.#given.get(taker);
    if (handOver?.number !== number) return;
    handOver.connection.socket.destroy();
    this.#given.delete(taker);
    this.#resting.delete(taker);
    this.#release(taker);
  }

  /**
   * `taker` will never get the connection of that number: it goes to another, before all others.
   * @returns how often in a row that has happened to it; 0 if the number is not its last one's
   */
  missed(taker: Taker, number: number): number {
    const handOver = this.#given.get(taker);
    if (handOver?.number !== number) return 0;
    this.#given.delete(taker);
    const rest = this.#resting.get(taker) ?? { misses: 0, timer: undefined };
    rest.misses++;
    if (this.#takers.has(taker)) {
      this.#resting.set(taker, rest);
      const time = Math.min(firstRest * 2 ** (rest.misses - 1), longestRest);
      rest.timer = setTimeout(() => this.#release(taker), time);
    }
    this.#giveBack(handOver.connection);
    return rest.misses;
  }

  #release(taker: Taker): void {
    if (!this.#takers.has(taker)) return;
    this.#free.add(taker);
    this.#distribute();
  }

  #giveBack(connection: Accepted): void {
    if (!connection.socket.destroyed) this.#waiting.unshift(connection);
    this.#distribute();
  }

  /** `taker` gets no more. It may still take what it was given. */
  remove(taker: Taker): void {
    this.#takers.delete(taker);
    this.#free.delete(taker);
    clearTimeout(this.#resting.get(taker)?.timer);
    this.#resting.delete(taker);
  }

  /** `taker` is no more. What it has not taken goes to another, before all others. */
  lost(taker: Taker): void {
    this.remove(taker);
    const handOver = this.#given.get(taker);
    this.#given.delete(taker);
    if (handOver) this.#giveBack(handOver.connection);
  }

  /**
   * `taker` answers nothing though it lives. Node reads from a connection as soon as it has come, so
   * nobody knows whether the one it was given is still whole: it is closed.
   */
  giveUp(taker: Taker): void {
    this.remove(taker);
    this.#given.get(taker)?.connection.socket.destroy();
    this.#given.delete(taker);
  }

  /** Closes what waits. */
  clear(): void {
    for (const { socket } of this.#waiting) socket.destroy();
    this.#waiting.length = 0;
  }
}
