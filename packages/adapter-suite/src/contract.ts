/** What an adapter tells about itself, so that the suite can try it. */
import type { Target } from './gate.js';
import type { Service } from './service.js';

export interface OpenOptions {
  /** Connections at most. */
  size: number;
  /** Milliseconds to wait for one; default the adapter's. */
  acquireTimeout?: number;
  /** In place of the right one. */
  password?: string;
}

/** An adapter's client or pool, in the words of the suite. All calls park. */
export interface Subject {
  /** A round trip that answers `id`. */
  echo(id: string): string;
  /**
   * An operation that takes `ms` milliseconds on the server and answers `id`; one that a kill or a
   * timeout must stop on the server.
   */
  slow(id: string, ms: number): string;
  /** The same within a transaction, begun before and ended after; undefined where there are none. */
  slowInTransaction?(id: string, ms: number): string;
  /** Reads pieces of a long answer one after the other; undefined where answers come whole. */
  stream?(rows: number): Iterable<unknown>;
  /** Lends a connection, to be used by several greenlets; undefined where there are no transactions. */
  share?(): SharedConnection;
  /** Connections that it has now, idle ones included. */
  readonly size: number;
  /** Greenlets that wait for a connection. */
  readonly waiting: number;
  /** Closes it. With work in flight it ends that within `timeout` milliseconds, or breaks it off. */
  close(timeout?: number): void;
}

/** A connection that is lent until its release, as several greenlets use it. All but `release` park. */
export interface SharedConnection {
  transaction(fn: () => void): void;
  /** Adds `amount` to the account that {@link Observer.accounts} has at this place. */
  add(account: number, amount: number): void;
  /** Takes a lock that belongs to the session, and not to a transaction, and answers some 20 ms after. */
  lock(id: number): void;
  unlock(id: number): void;
  /** Gives the session a setting that outlives transactions; empty as at first. */
  set(value: string): void;
  setting(): string;
  release(): void;
  /** In place of release(): the connection ends, with all that it has. */
  destroy(): void;
}

/** An observer with a connection of its own, past any gate. All calls park. */
export interface Observer {
  /** How many `slow` operations the server is working on now. */
  running(): number;
  /** Sessions of the subject's clients, without the observer's own. */
  sessions(): number;
  /** Amounts of three accounts, zero at first: made when it is called for the first time. */
  accounts?(): number[];
  /** What sessions that do nothing have left: locks, transactions. One line for each. */
  leftovers?(): string[];
  close(): void;
}

export interface Adapter {
  readonly name: string;
  /** Sessions beside those of `size`: of a client that sends quick operations over a connection apart. */
  readonly sharedSessions?: number;
  /** Greenlets share its connections: a slow operation keeps none from the others. */
  readonly shared?: boolean;
  /** Starts its server. */
  start(): Promise<Service>;
  /** A subject that talks to `at`: the service itself, or a gate in front of it. Parks at most for the first connection. */
  open(at: Target, options: OpenOptions): Subject;
  observe(service: Service): Observer;
  /** True for the error of a wrong password. */
  isAuthenticationError?(error: unknown): boolean;
}
