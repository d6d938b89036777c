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
 * Messages keep their order on a channel. A worker that is removed here and then told to retire has
 * therefore got every connection that was meant for it: there is no moment at which one can be lost.
 */
import type { Socket } from 'node:net';

/** A connection, and which of the addresses it came to. */
export interface Accepted {
  readonly socket: Socket;
  readonly index: number;
}

export interface Taker {
  give(connection: Accepted): void;
}

/** Connections that wait while every worker is busy; those beyond are closed. */
const maxWaiting = 8192;

export class Dispatcher {
  readonly #waiting: Accepted[] = [];
  /** Those that can get one, the longest idle first. */
  readonly #free = new Set<Taker>();
  readonly #takers = new Set<Taker>();
  /** Given, and not taken yet. */
  readonly #given = new Map<Taker, Accepted>();

  /** Nothing waits, and nothing is on its way. */
  get idle(): boolean {
    return this.#waiting.length === 0 && this.#given.size === 0;
  }

  offer(connection: Accepted): void {
    if (this.#waiting.length >= maxWaiting) {
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
      this.#given.set(taker, connection);
      taker.give(connection);
    }
  }

  /** From now on `taker` gets connections. */
  add(taker: Taker): void {
    this.#takers.add(taker);
    this.#free.add(taker);
    this.#distribute();
  }

  /** `taker` has the connection that it was given: this process lets go of it. */
  took(taker: Taker): void {
    this.#given.get(taker)?.socket.destroy();
    this.#given.delete(taker);
    if (!this.#takers.has(taker)) return;
    this.#free.add(taker);
    this.#distribute();
  }

  /** `taker` gets no more. It may still take what it was given. */
  remove(taker: Taker): void {
    this.#takers.delete(taker);
    this.#free.delete(taker);
  }

  /** `taker` is no more. What it has not taken goes to another, before all others. */
  lost(taker: Taker): void {
    this.remove(taker);
    const connection = this.#given.get(taker);
    this.#given.delete(taker);
    if (connection) this.#waiting.unshift(connection);
    this.#distribute();
  }

  /** Closes what waits. */
  clear(): void {
    for (const { socket } of this.#waiting) socket.destroy();
    this.#waiting.length = 0;
  }
}
