/** Handshake: what is sent first, so that a connection is used only when its server answers. */
import { type Response, Utils } from 'memjs';
import type { Address } from './address.js';
import { AuthenticationError, breakage } from './errors.js';
import { opcodes } from './opcodes.js';

const refused = 0x20;
/** The server has no logins at all: it needs none. */
const unknownCommand = 0x81;

/** A login where there is one, else a question that every memcached answers. */
export function greeting({ username, password }: Address): Buffer {
  if (!username || !password) return Utils.makeRequestBuffer(opcodes.noop, '', '', '', 0);
  return Utils.makeRequestBuffer(opcodes.sasl, 'PLAIN', '', `\0${username}\0${password}`, 0);
}

/** Why the connection is of no use after this answer; undefined if it is. */
export function refusal(message: Response, server: string): Error | undefined {
  const { status } = message.header;
  if (status === refused) return new AuthenticationError(server);
  if (status === 0 || status === unknownCommand) return undefined;
  return breakage('PROTOCOL', `the server does not accept connections (status ${status})`);
}
