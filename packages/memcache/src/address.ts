/** The list of servers: `[user:pass@]host[:port],…`, or what the environment says. */
import { InvalidArgumentError } from '@tendril/core';

export interface Address {
  readonly host: string;
  readonly port: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

const defaultPort = 11211;
/** A name or an IPv4 address, or an IPv6 address in brackets; and a port. */
const pattern = /^(?:\[(?<six>[^\]]+)\]|(?<host>[^:[\]\s]+))(?::(?<port>\d+))?$/;

function readAddress(text: string): Address {
  const at = text.lastIndexOf('@');
  const [username, ...password] = text.slice(0, Math.max(0, at)).split(':');
  const { six, host, port = defaultPort } = pattern.exec(text.slice(at + 1).trim())?.groups ?? {};
  const where = six ?? host;
  if (where === undefined || Number(port) > 65_535)
    throw new InvalidArgumentError('servers', 'host:port,host:port …', text.slice(at + 1));
  return { host: where, port: Number(port), username, password: password.join(':') };
}

/** The environment's login, for servers that have none of their own. */
export function readLogin(): Pick<Address, 'username' | 'password'> {
  const { env } = process;
  return {
    username: env.MEMCACHIER_USERNAME || env.MEMCACHE_USERNAME,
    password: env.MEMCACHIER_PASSWORD || env.MEMCACHE_PASSWORD,
  };
}

/**
 * Reads the list as memjs does, with its variables of the environment.
 * @throws InvalidArgumentError
 */
export function readAddresses(servers?: string): Address[] {
  const { MEMCACHIER_SERVERS, MEMCACHE_SERVERS } = process.env;
  const list = servers || MEMCACHIER_SERVERS || MEMCACHE_SERVERS || 'localhost';
  if (typeof list !== 'string')
    throw new InvalidArgumentError('servers', 'a string of addresses', list);
  return list.split(',').map(readAddress);
}
