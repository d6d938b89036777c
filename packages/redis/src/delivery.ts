/** Delivery: a command on its way to a node, until a connection has it. */
import { ClientClosedError, ClientOfflineError, ErrorReply } from 'redis';
import type { Raw } from './raw.js';

/** How node-redis sends something over the client of a node. */
export type Execute = (node: Raw, options?: object) => Promise<unknown>;

/** It was not carried out, and may be asked for elsewhere. */
export function isRedirection(error: unknown): boolean {
  return error instanceof ErrorReply && /^(MOVED|ASK|READONLY) /.test(error.message);
}

/** The node was away, or is no longer the one to ask. */
export function isAway(error: unknown): boolean {
  if (error instanceof ClientOfflineError || error instanceof ClientClosedError) return true;
  return error instanceof ErrorReply && error.message.startsWith('READONLY ');
}

export class Delivery {
  /** The node whose connection was away. */
  away: Raw | undefined;
  #handed = 0;
  #over = false;

  /** A connection has it: it will end with a reply or with that connection, and may be carried out. */
  get isHanded(): boolean {
    return this.#handed > 0;
  }

  /** What has not been handed to a connection by now never will be. */
  giveUp(): void {
    this.#over = true;
  }

  /**
   * `execute`, but only over a connection that is there: node-redis's queue would keep the command when
   * its greenlet has given up.
   */
  guard<F extends Execute>(execute: F): F {
    const guarded: Execute = async (node, options) => {
      if (this.#over) throw new ClientClosedError();
      if (!node.isReady) {
        this.away = node;
        throw new ClientOfflineError();
      }
      this.#handed++;
      try {
        return await execute(node, options);
      } catch (error) {
        if (isRedirection(error)) this.#handed--;
        throw error;
      }
    };
    return guarded as F;
  }
}
