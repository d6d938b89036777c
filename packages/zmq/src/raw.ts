/** The driver's socket, as the rest of this package sees it. */
import type { Context, MessageLike, Observer } from 'zeromq';

/** Numbers of zmq.h; the driver defines some of these options for some classes only. */
const sendTimeoutOption = 28;
const receiveTimeoutOption = 27;

/**
 * Every socket of the driver has all of these methods, whatever its type: those that make no sense
 * fail in libzmq.
 */
export interface Raw {
  send(message: MessageLike | MessageLike[], options?: object): Promise<void>;
  receive(): Promise<unknown[]>;
  bindSync(address: string): void;
  connect(address: string, options?: object): void;
  disconnect(address: string): void;
  close(): void;
  linger: number;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly closed: boolean;
  readonly context: Context;
  readonly events: Observer;
  setInt32Option(option: number, value: number): void;
}

/** Milliseconds that the driver tries to send; it takes effect at once. */
export function setSendTimeout(raw: Raw, ms: number): void {
  raw.setInt32Option(sendTimeoutOption, ms);
}
/** Milliseconds that the driver waits for a message; it takes effect at once. */
export function setReceiveTimeout(raw: Raw, ms: number): void {
  raw.setInt32Option(receiveTimeoutOption, ms);
}
