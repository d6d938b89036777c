/**
 * The draft socket classes, for builds of libzmq that have them (`capability.draft`). To import this
 * module where they are missing is the driver's error; where they are there, its warning.
 * @module
 */
import * as driver from 'zeromq/draft.js';
import { type SocketOf, socketClass } from './class.js';

const both = { send: true, receive: true, careful: true };

export type Server = SocketOf<driver.Server>;
export const Server = socketClass('Server', driver.Server, {
  ...both,
  sendOptions: { routingId: 0 },
});

export type Client = SocketOf<driver.Client>;
export const Client = socketClass('Client', driver.Client, both);

export type Radio = SocketOf<driver.Radio>;
export const Radio = socketClass('Radio', driver.Radio, {
  send: true,
  careful: true,
  sendOptions: { group: '' },
});

export type Dish = SocketOf<driver.Dish>;
export const Dish = socketClass('Dish', driver.Dish, { receive: true, passed: ['join', 'leave'] });

export type Gather = SocketOf<driver.Gather>;
export const Gather = socketClass('Gather', driver.Gather, { receive: true });

export type Scatter = SocketOf<driver.Scatter>;
export const Scatter = socketClass('Scatter', driver.Scatter, { send: true, careful: true });

export type Datagram = SocketOf<driver.Datagram>;
export const Datagram = socketClass('Datagram', driver.Datagram, both);
