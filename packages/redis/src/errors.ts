/** Errors of this package's own; those of the server and of the connection are node-redis's. */
import { TendrilError } from '@tendril/core';
import { DisconnectsClientError, SocketClosedUnexpectedlyError, SocketTimeoutError } from 'redis';
import { reasonOf } from './stop.js';

/** A command waited for the connection to come back, for as long as it may. `cause` is why it is away. */
export class OfflineError extends TendrilError {
  constructor(ms: number, cause: unknown) {
    super(
      'ERR_REDIS_OFFLINE',
      `Redis could not be reached within ${ms} ms. Look at \`cause\`, or raise commandOptions.timeout.`,
      { cause },
    );
  }
}

/** A command for several nodes of a cluster, one of which is away. */
export class PartlySentError extends TendrilError {
  constructor(cause: unknown) {
    super(
      'ERR_REDIS_PARTLY_SENT',
      'One of the nodes that the command is for is away. The others may have carried out their part: ask again if it may be done twice.',
      { cause },
    );
  }
}

/**
 * node-redis's errors of connections that have ended, with the code `ERR_REDIS_CONNECTION_LOST`; others
 * as they are. The command may have been carried out.
 */
export function withCode(given: unknown): unknown {
  const lost = [SocketClosedUnexpectedlyError, SocketTimeoutError, DisconnectsClientError];
  const error = reasonOf(given);
  if (!lost.some((type) => error instanceof type)) return error;
  return Object.assign(error as Error, { code: 'ERR_REDIS_CONNECTION_LOST' });
}

/** A command that changes the connection it goes over, which others use, too, or node-redis itself. */
export class ConnectionCommandError extends TendrilError {
  constructor(command: string, instead: string) {
    super(
      'ERR_REDIS_CONNECTION_COMMAND',
      `${command} changes its connection for others who use it. Use ${instead}.`,
    );
  }
}

/** Too many greenlets wait for the connection to come back. */
export class OfflineQueueFullError extends TendrilError {
  constructor(length: number) {
    super(
      'ERR_REDIS_OFFLINE_QUEUE_FULL',
      `${length} commands wait for the connection already. Ask less while Redis is away, or raise commandsQueueMaxLength.`,
    );
  }
}

/** A subscriber read slower than messages came. What was kept has been read; what came after is lost. */
export class SubscriptionOverflowError extends TendrilError {
  constructor(maxMessages: number) {
    super(
      'ERR_REDIS_SUBSCRIPTION_OVERFLOW',
      `More than ${maxMessages} messages were unread. Read faster, for example by several greenlets, or raise maxMessages.`,
    );
  }
}

/**
 * Elements that a killed command had popped could not be pushed back. An 'error' event of the client;
 * `reply` holds them as the server gave them.
 */
export class LostElementsError extends TendrilError {
  readonly reply: unknown;

  constructor(command: string, reply: unknown, cause: unknown) {
    super(
      'ERR_REDIS_LOST_ELEMENTS',
      `What a killed ${command} had popped could not be pushed back. \`reply\` holds it.`,
      { cause },
    );
    this.reply = reply;
  }
}
