/** send() and receive(): the methods that the classes have or have not. */
import { type TimeoutOption, withTimeout } from '@tendril/core';
import { AgainError } from './errors.js';
import { checkMessage } from './message.js';
import { checkUse, internal, type Socket } from './socket.js';

const expired: unique symbol = Symbol('expired');

/**
 * Runs `wait` for at most `timeout` milliseconds, or for the socket's own limit if none is given.
 * @throws Timeout for the one, AgainError for the other
 */
function limited<T>(
  timeout: number | undefined,
  option: 'sendTimeout' | 'receiveTimeout',
  own: number,
  wait: () => T,
): T {
  if (timeout !== undefined) return withTimeout(timeout, wait);
  if (own < 0) return wait();
  // The answer of the driver may take until the next turn, even to a message that goes at once.
  const result = withTimeout<T, typeof expired>(own || 1, wait, { value: expired });
  if (result === expired) throw new AgainError(option, own);
  return result;
}

export function send(
  this: Socket,
  message: unknown,
  { timeout, ...rest }: TimeoutOption & { routingId?: number; group?: Buffer | string } = {},
): void {
  sendWith(this, message, rest, timeout);
}

/** The common case: a message and no options. */
export function sendPlain(this: Socket, message: unknown, options?: TimeoutOption): void {
  sendWith(this, message, undefined, options?.timeout);
}

function sendWith(
  socket: Socket,
  message: unknown,
  options: object | undefined,
  timeout: number | undefined,
): void {
  checkUse(socket, 'send()');
  checkMessage(message);
  const { outbox, sendTimeout } = socket[internal];
  if (outbox.trySend(message, options)) return;
  if (timeout === undefined && sendTimeout === 0 && !outbox.ready && !outbox.careful)
    throw new AgainError('sendTimeout', 0);
  limited(timeout, 'sendTimeout', sendTimeout, () => outbox.send(message, options));
}

export function receive(this: Socket, options?: TimeoutOption): unknown[] {
  checkUse(this, 'receive()');
  const { inbox, receiveTimeout } = this[internal];
  const message = inbox.take();
  if (message !== undefined) return message;
  const timeout = options?.timeout;
  if (timeout === undefined && receiveTimeout === 0) {
    if (!this.readable) throw new AgainError('receiveTimeout', 0);
    return inbox.wait();
  }
  return limited(timeout, 'receiveTimeout', receiveTimeout, () => inbox.wait());
}

/** Messages until the socket is closed. */
export function* iterate(this: Socket): IterableIterator<unknown[]> {
  while (!this.closed) {
    let message: unknown[];
    try {
      message = receive.call(this);
    } catch (error) {
      if (this.closed && (error as { code?: string }).code === 'ERR_SOCKET_CLOSED') return;
      throw error;
    }
    yield message;
  }
}
