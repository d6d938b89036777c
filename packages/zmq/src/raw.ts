/** The driver's socket, as the rest of this package sees it. */
import type { Context, MessageLike, Observer } from 'zeromq';
import { mustAsk, untilReady } from './ticker.js';

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

const nothingYet = Object.assign(new Error('No message has come'), { code: 'EAGAIN' });

/**
 * Receives, as long as `waits()` for at most `ms` milliseconds, else at once.
 * @returns what the driver gives; it rejects by EAGAIN when there is nothing
 */
export function receiveWithin(
  raw: Raw,
  ms: number,
): {
  receive(): Promise<unknown[]>;
  setWaiting(waits: boolean): void;
} {
  setReceiveTimeout(raw, mustAsk ? 0 : ms);
  if (!mustAsk)
    return {
      receive: () => raw.receive(),
      setWaiting: (waits) => setReceiveTimeout(raw, waits ? ms : 0),
    };
  let waiting = true;
  const receive = async () => {
    if (!waiting || raw.readable) return raw.receive();
    if (await untilReady(() => raw.closed || raw.readable, ms)) return raw.receive();
    throw nothingYet;
  };
  return {
    receive,
    setWaiting: (waits) => {
      waiting = waits;
    },
  };
}

/** Resolves or rejects when there is room, or after `ms` milliseconds. `probe` sends nothing. */
export function roomWithin(raw: Raw, ms: number, probe: () => Promise<void>): Promise<unknown> {
  if (mustAsk) return untilReady(() => raw.closed || raw.writable, ms);
  setSendTimeout(raw, ms);
  return probe();
}
