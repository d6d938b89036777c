/** The twelve socket classes of the driver. */
import * as driver from 'zeromq';
import { type SocketOf, socketClass } from './class.js';

const both = { send: true, receive: true };

export type Pair = SocketOf<driver.Pair>;
export const Pair = socketClass('Pair', driver.Pair, both);

export type Publisher = SocketOf<driver.Publisher>;
export const Publisher = socketClass('Publisher', driver.Publisher, {
  send: true,
  unbounded: true,
});

export type Subscriber = SocketOf<driver.Subscriber>;
export const Subscriber = socketClass('Subscriber', driver.Subscriber, {
  receive: true,
  passed: ['subscribe', 'unsubscribe'],
});

/** An answer that was not received when the next request goes out is dropped. */
export type Request = SocketOf<driver.Request>;
export const Request = socketClass('Request', driver.Request, {
  ...both,
  inStep: true,
  forgets: true,
});

export type Reply = SocketOf<driver.Reply>;
export const Reply = socketClass('Reply', driver.Reply, { ...both, inStep: true });

export type Dealer = SocketOf<driver.Dealer>;
export const Dealer = socketClass('Dealer', driver.Dealer, both);

export type Router = SocketOf<driver.Router>;
export const Router = socketClass('Router', driver.Router, { ...both, unbounded: true });

export type Pull = SocketOf<driver.Pull>;
export const Pull = socketClass('Pull', driver.Pull, { receive: true });

export type Push = SocketOf<driver.Push>;
export const Push = socketClass('Push', driver.Push, { send: true });

/** With `manual`, subscriptions are about the message that was received last. */
export type XPublisher = SocketOf<driver.XPublisher>;
export const XPublisher = socketClass('XPublisher', driver.XPublisher, {
  ...both,
  inStep: true,
  unbounded: true,
});

export type XSubscriber = SocketOf<driver.XSubscriber>;
export const XSubscriber = socketClass('XSubscriber', driver.XSubscriber, both);

export type Stream = SocketOf<driver.Stream>;
export const Stream = socketClass('Stream', driver.Stream, { ...both, careful: true });
