/** Makes our class from one of the driver's: the same name and options, with calls that park. */
import type { TimeoutOption } from '@tendril/core';
import type * as driver from 'zeromq';
import { internal, Socket, type Traits } from './socket.js';
import { iterate, receive, send, sendPlain } from './transfer.js';

/** What is ours; everything else that a class of the driver has is an option. */
type Own = keyof Socket | 'send' | 'receive' | 'subscribe' | 'unsubscribe' | 'join' | 'leave';

/** The options of a class of the driver, which are properties of its sockets too. */
type Properties<R> = Omit<R, Own | typeof Symbol.asyncIterator>;

/** Constructor options: what the driver takes, and the timeouts of all that have them. */
type Options<R extends driver.Socket> = driver.SocketOptions<R>;

export interface Readable<M extends object[] = Buffer[]> extends Iterable<M> {
  /**
   * The next message, as a list of its parts. Parks while there is none; several greenlets are served in
   * the order of their calls. A kill or a timeout takes nothing away: the message goes to the next.
   * @throws Timeout for `timeout`, AgainError for `receiveTimeout`, SocketClosedError
   */
  receive(options?: TimeoutOption): M;
}

export interface Writable<M = driver.MessageLike | driver.MessageLike[], O = unknown> {
  /**
   * Sends a message of one or several parts. Parks while the high-water mark is reached, or nobody is
   * connected, as the type of the socket has it; several greenlets take turns in the order of their
   * calls. Interrupted while it waits, it takes its message back. Bytes must not be changed after.
   * @throws Timeout for `timeout`, AgainError for `sendTimeout`, SocketClosedError
   */
  send(message: M, ...options: unknown extends O ? [TimeoutOption?] : [O & TimeoutOption]): void;
}

type Received<R> = R extends { receive(): Promise<infer M extends object[]> }
  ? Readable<M>
  : unknown;
type Sent<R> =
  R extends driver.Writable<infer M, infer O>
    ? Writable<M, O extends [infer First] ? First : unknown>
    : unknown;
type Subscribing<R> = R extends { subscribe: unknown }
  ? Pick<driver.Subscriber, 'subscribe' | 'unsubscribe'>
  : unknown;
/** Of the draft class Dish. */
interface Groups {
  join(...groups: (Buffer | string)[]): void;
  leave(...groups: (Buffer | string)[]): void;
}
type Joining<R> = R extends { join: unknown } ? Groups : unknown;

/** A socket of ours, after the driver's `R`. */
export type SocketOf<R> = Socket &
  Properties<R> &
  Received<R> &
  Sent<R> &
  Subscribing<R> &
  Joining<R>;

type RawClass<R extends driver.Socket> = new (options?: driver.SocketOptions<R>) => R;

export type SocketClass<R extends driver.Socket> = new (options?: Options<R>) => SocketOf<R>;

/** Options that let libzmq refuse a message although it says that there is room. */
const refusing = new Set(['mandatory', 'noDrop']);

interface Methods extends Traits {
  readonly send?: boolean;
  readonly receive?: boolean;
  /** Methods of the driver that are taken over as they are. */
  readonly passed?: readonly string[];
}

/** The class of ours that stands for `rawClass`. */
export function socketClass<R extends driver.Socket>(
  name: string,
  rawClass: RawClass<R>,
  { send: sends, receive: receives, passed = [], ...traits }: Methods,
): SocketClass<R> {
  const made = class extends Socket {
    constructor(options?: object) {
      super(rawClass as new (options: object) => R, traits, options as Record<string, unknown>);
    }
  };
  Object.defineProperty(made, 'name', { value: name });
  const define = (key: string | symbol, value: unknown) =>
    Object.defineProperty(made.prototype, key, { value, writable: true, configurable: true });
  if (sends) define('send', traits.sendOptions ? send : sendPlain);
  if (receives) {
    define('receive', receive);
    define(Symbol.iterator, iterate);
  }
  for (const method of passed) define(method, pass(method));
  forwardOptions(rawClass.prototype, made.prototype);
  return made as unknown as SocketClass<R>;
}

/** A method that is the driver's, and parks nowhere. */
function pass(method: string) {
  return function (this: Socket, ...values: unknown[]): void {
    const { raw } = this[internal];
    (raw as unknown as Record<string, (...values: unknown[]) => void>)[method]?.(...values);
  };
}

/** Properties for all options that `from` and what it inherits have, and `to` has not. */
function forwardOptions(from: object, to: Socket): void {
  for (
    let prototype = from;
    prototype !== Object.prototype;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    for (const [name, { get, set }] of Object.entries(Object.getOwnPropertyDescriptors(prototype)))
      if ((get || set) && !(name in to)) forwardOption(to, name, get, set);
  }
}

function forwardOption(
  to: Socket,
  name: string,
  get: (() => unknown) | undefined,
  set: ((value: unknown) => void) | undefined,
): void {
  const descriptor: PropertyDescriptor = { enumerable: true, configurable: true };
  if (get)
    descriptor.get = function (this: Socket) {
      return get.call(this[internal].raw);
    };
  if (set)
    descriptor.set = function (this: Socket, value: unknown) {
      const { raw, outbox } = this[internal];
      set.call(raw, value);
      if (refusing.has(name)) outbox.careful = value === true;
    };
  Object.defineProperty(to, name, descriptor);
}
