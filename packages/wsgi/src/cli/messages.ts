/**
 * What the arbiter and its workers say to each other, over the channel that Node opens between them.
 * Messages of an application on the same channel have no `tendril` and are left alone.
 *
 *     arbiter                       worker
 *                    <------------  hello: it listens to messages
 *     start          ------------>
 *                    <------------  beat, and again at every interval
 *                    <------------  ready, or failed and its end
 *     connection     ------------>
 *                    <------------  took
 *     ask            ------------>  if there is no `took` in a while
 *                    <------------  missed, if the connection has not arrived
 *                    <------------  leave: it wants to be replaced
 *     retire, quit   ------------>  its end
 */
import type { Address } from '@tendril/core/socket';
import type { Settings } from './options.js';

export type ToWorker =
  | { tendril: 'start'; settings: Settings; addresses: Address[] }
  /** Comes with a socket, accepted at `addresses[index]`. */
  | { tendril: 'connection'; index: number; number: number }
  /** Has the connection of that number arrived? */
  | { tendril: 'ask'; number: number }
  /**
   * No more connections come. Ends the worker: within `polite` ms nobody is sent away, and requests
   * under way get `limit` ms in all.
   */
  | { tendril: 'retire'; polite: number; limit: number }
  | { tendril: 'quit' }
  | { tendril: 'reopen' };

export type FromWorker =
  /** Whatever comes before it is lost, for node:cluster reads the channel from the very beginning. */
  | { tendril: 'hello' }
  | { tendril: 'beat' }
  | { tendril: 'ready' }
  /** The application did not load; the worker ends. */
  | { tendril: 'failed'; report: string }
  /** The connection is the worker's now. */
  | { tendril: 'took'; number: number }
  /** The connection has not come, and will not: nothing on the channel overtakes. */
  | { tendril: 'missed'; number: number }
  | { tendril: 'leave'; why: string };

/** The message, if it is one of ours. */
export function ours<Message extends { tendril: string }>(message: unknown): Message | undefined {
  const kind = (message as { tendril?: unknown } | null | undefined)?.tendril;
  return typeof kind === 'string' ? (message as Message) : undefined;
}
