/** Errors of this package's own; everything else is core's, or the driver's with its errno as `code`. */
import { TendrilError } from '@tendril/core';

/**
 * The socket's `sendTimeout` or `receiveTimeout` has passed. Its `code` is that of the driver's error.
 * A timeout given to a call throws a `Timeout` instead.
 */
export class AgainError extends TendrilError {
  readonly errno = 11;

  constructor(option: 'sendTimeout' | 'receiveTimeout', ms: number) {
    super('EAGAIN', `The operation did not end within the socket's ${option} of ${ms} ms.`);
  }
}
